"""report.ipynb: a notebook that draws everything again from the analysis.json beside it."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from clary.clarify.findings import Findings
from clary.clarify.report import notebook_cells as cells

Cell = dict[str, Any]

_START = """\
from IPython.display import HTML

analysis = read("analysis.json")
list(analysis)"""

_LOCAL = """\
import csv

with Path("explanations_shap/out.csv").open(newline="", encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
values = [name for name in rows[0] if name != {key!r}]
local = {{name: [float(row[name]) for row in rows] for name in values}}
HTML(beeswarm(local, analysis["explanations"]["kernel_shap"]))"""

_ROW = """\
row = 0  # any row, counted from 0
HTML(waterfall(local, analysis["explanations"]["kernel_shap"], row))"""


def render(findings: Findings) -> str:
    """The notebook as JSON text. It runs where analysis.json lies, with IPython and the standard library."""
    report = findings.config.report
    drawing = (Path(__file__).parent / "redraw.py").read_text("utf-8").rstrip()
    made = [
        _text(f"# {html.escape(report.title) if report else 'Analysis Report'}"),
        _text("Everything below is drawn from `analysis.json`. Run the cells from top to bottom."),
        _code(drawing),
        _code(_START),
        *(cell for title, source in _sections(findings) for cell in (_text(f"## {title}"), _code(source))),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "cells": [{"id": f"cell-{i}", **cell} for i, cell in enumerate(made)],
    }
    return json.dumps(document, indent=1, ensure_ascii=False)


def _text(source: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source: str) -> Cell:
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source}


def _sections(findings: Findings) -> list[tuple[str, str]]:
    """Titles and code, one for each part of analysis.json that there is."""
    found = findings.in_json()
    sections = []
    for stage, where in (("pre_training", "in the data"), ("post_training", "of the model")):
        key = f"{stage}_bias_metrics"
        part = found.get(key, {})
        if part:
            sections.append((f"Bias {where}", f"HTML(bias(analysis[{key!r}]))"))
        if any(member in part for member in ("intersections", "multiclass", "regression")):
            sections.append((f"Subgroups and classes {where}", f"HTML(beyond(analysis[{key!r}]))"))
    if "segments" in found:
        sections.append(("Segments", cells.SEGMENTS))
    if "mitigation" in found:
        sections.append(("Remedies", 'HTML(mitigation(analysis["mitigation"]))'))
    if findings.drift is not None:
        sections.insert(0, ("Drift from the baseline", cells.DRIFT))
    return [*sections, *_explained(findings, found.get("explanations", {}))]


def _explained(findings: Findings, found: dict[str, Any]) -> list[tuple[str, str]]:
    shap = findings.config.shap
    local = shap is not None and shap.save_local_shap_values
    sections = []
    if findings.text is not None:
        sections = [*_GLOBAL, ("Units of text", cells.TEXT_GLOBAL)]
        sections += [("Texts, unit by unit", cells.TEXT)] if local else []
    elif findings.explanation is not None:
        key = "row" if findings.roles.joinsource is None else str(findings.roles.joinsource.name)
        sections = list(_GLOBAL)
        sections += [("Local SHAP values", _LOCAL.format(key=key)), ("One row", _ROW)] if local else []
    more = {
        "kernel_shap_interactions": ("What works together", cells.PAIRS),
        "images": ("What the model sees in the images", cells.IMAGES),
        "pdp": ("Partial dependence", 'HTML(dependence(analysis["explanations"]["pdp"]))'),
        "asymmetric_shapley_value": ("What the forecasts rest on", cells.SERIES),
    }
    return [*sections, *(section for name, section in more.items() if name in found)]


_GLOBAL = [("Global SHAP values", 'HTML(importance(analysis["explanations"]["kernel_shap"]))')]
