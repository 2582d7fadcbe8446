"""report.pdf: the page on paper, typeset by Typst (the extra `clary[pdf]`): no browser, no network."""

from __future__ import annotations

import importlib.util
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from clary.clarify.report.drawing import FOLDER, picture

HOW_TO_GET = "report.pdf is left out: it needs Typst. Install it by `pip install 'clary[pdf]'`."


def available() -> bool:
    """Whether Typst is installed."""
    try:
        import typst  # noqa: F401
    except ImportError:
        return False
    return True


def render(page: dict[str, Any]) -> bytes:
    """The report as PDF. Names and values from the data reach Typst as data, never as its markup."""
    import typst

    own = {key: value for key, value in page.items() if key != "apart"}
    shown = json.dumps(_drawn(own), default=vars, ensure_ascii=False)
    template = (FOLDER / "report.typ").read_bytes()
    found: bytes = typst.compile(template, format="pdf", font_paths=_fonts(), sys_inputs={"page": shown})
    return found


def _fonts() -> list[Any]:
    """Where the report's typeface is; Typst looks among the system's fonts besides."""
    found = importlib.util.find_spec("font_source_sans_pro")
    return [str(Path(str(found.origin)).parent / "files")] if found else []


def _drawn(page: dict[str, Any]) -> dict[str, Any]:
    """The page's pictures, each complete in itself: with its name space and its colours."""
    found: dict[str, Any] = _complete(json.loads(json.dumps(page, default=vars)))
    for stage in found["stages"]:
        for facet in stage["facets"]:
            for metric in facet["metrics"]:
                metric["svg"] = metric["gauge"] and _whole(picture("paper_gauge", metric["gauge"]))
    return found


def _complete(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _complete(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_complete(item) for item in value]
    return _whole(value) if isinstance(value, str) and value.startswith("<svg ") else value


def _whole(svg: str) -> str:
    start = svg.index(">") + 1
    head = svg[:start].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return f"{head}<style>{_style()}</style>{svg[start:]}"


@cache
def _style() -> str:
    """The charts' part of report.css in the colours of paper, which Typst's SVG reader takes "
    "only as values."""
    style = (FOLDER / "report.css").read_text("utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", style[style.index("@media print") :]))
    charts = style[style.index("/* CHARTS */") :].replace(".chart text", "text")
    return "text{font-family:'Source Sans Pro'}" + re.sub(
        r"var\(--([\w-]+)\)", lambda name: colours[name[1]], charts
    )
