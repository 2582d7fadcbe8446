"""report.html: one self-contained page for the screen and for paper."""

from __future__ import annotations

from typing import Any

from clary.clarify.report.drawing import FOLDER, environment


def render(page: dict[str, Any]) -> str:
    """The page as text. Every name and value from the data is escaped by the template."""
    style = "".join((FOLDER / name).read_text("utf-8") for name in ("report.css", "sections.css"))
    return environment().get_template("report.html.jinja").render(style=style, **page, **page["apart"])
