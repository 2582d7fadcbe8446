"""report.ipynb: a notebook that draws everything again from the analysis.json beside it."""

from __future__ import annotations

import json
from typing import Any

from clary.clarify.bias_analysis import BiasFindings
from clary.clarify.findings import Findings

Cell = dict[str, Any]

_SETUP = '''\
import html
import json
from pathlib import Path

from IPython.display import HTML, display

analysis = json.loads(Path("analysis.json").read_text("utf-8"))


def bars(title, rows):
    """Draw (name, value, note) rows as bars around zero; a value may be None or "Infinity"."""
    numbers = [abs(v) for _, v, _ in rows if isinstance(v, (int, float))]
    top = max(numbers, default=0) or 1
    lines = [f"<h4>{html.escape(title)}</h4><table style='width:100%'>"]
    for name, value, note in rows:
        if isinstance(value, (int, float)):
            width = 50 * abs(value) / top
            start = 50 - width if value < 0 else 50
            bar = (
                "<svg width='100%' height='16'><rect width='100%' height='16' fill='#8883'/>"
                f"<rect x='{start:.2f}%' width='{width:.2f}%' height='16' fill='#3b5bdb'/></svg>"
            )
            shown = f"{value:+.4f}"
        else:
            bar, shown = "", html.escape(str(value))
        lines.append(
            f"<tr><td style='width:30%;text-align:left'>{html.escape(name)}</td>"
            f"<td style='width:40%'>{bar}</td>"
            f"<td>{shown}</td><td style='text-align:left'>{html.escape(note)}</td></tr>"
        )
    display(HTML("".join(lines) + "</table>"))'''

_BIAS = """\
stage = analysis[{key!r}]
print("Label:", stage["label"], "positive:", stage["label_value_or_threshold"])
for facet, values in stage["facets"].items():
    for value in values:
        bars(
            f"{{facet}}: {{value['value_or_threshold']}}",
            [(m["description"], m["value"], m.get("error", "")) for m in value["metrics"]],
        )"""

_SHAP = """\
for output, found in analysis["explanations"]["kernel_shap"].items():
    ranked = sorted(found["global_shap_values"].items(), key=lambda item: -abs(item[1]))
    bars(f"{output}: expected value {found['expected_value']:.4f}", [(name, v, "") for name, v in ranked])"""

_PDP = """\
for item in analysis["explanations"]["pdp"]:
    for header, scores in zip(item["label_headers"], item["model_predictions"]):
        values = zip(item["feature_values"], scores, item["data_distribution"])
        bars(
            f"{item['feature_name']}: mean score of {header}",
            [(str(value), score, f"{share:.1%} of the rows") for value, score, share in values],
        )"""

_SERIES = """\
from itertools import groupby

found = analysis["explanations"]["asymmetric_shapley_value"]
place = Path("asymmetric_shapley_value", f"{found['granularity']}_{found['direction']}", "out.jsonl")
for line in place.read_text("utf-8").splitlines():
    item = json.loads(line)
    mean = sum(item["forecast"]) / len(item["forecast"])
    for name, parts in groupby(item["explanations"], lambda part: part.get("feature_name", "each time step")):
        means = [(part.get("timestamp", name), sum(part["scores"]) / len(part["scores"])) for part in parts]
        title = f"{item['item_id']}: {name}, mean forecast {mean:.4g}"
        bars(title, [(str(when), value, "") for when, value in means])"""

_PAIRS = """\
for output, found in analysis["explanations"]["kernel_shap_interactions"].items():
    rows = [(" and ".join(p["features"]), p["mean_abs"], f"mean {p['mean']:+.4f}") for p in found["pairs"]]
    bars(f"{output}: mean absolute interaction of {found['rows']} rows", rows)"""

_SEGMENTS = """\
for name, division in analysis["segments"].items():
    for segment, found in division["segments"].items():
        print(f"{name} ({division['column']}): {segment}, {found['rows']} rows", *found.get("errors", []))
        for stage in ("pre_training_bias_metrics", "post_training_bias_metrics"):
            for facet, values in found.get(stage, {}).get("facets", {}).items():
                for value in values:
                    bars(
                        f"{segment}: {facet}: {value['value_or_threshold']}",
                        [(m["description"], m["value"], m.get("error", "")) for m in value["metrics"]],
                    )"""

_LOCAL = """\
import csv

with Path("explanations_shap/out.csv").open(newline="", encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
print(len(rows), "rows of local SHAP values; the first:")
rows[0]"""

_TEXT_GLOBAL = """\
for output, found in analysis["explanations"]["kernel_shap"].items():
    for column, units in found["global_top_shap_text"].items():
        bars(f"{output}: strongest in {column}", [(unit, value, "") for unit, value in units.items()])"""

_TEXT = """\
lines = Path("explanations_shap/out.jsonl").read_text("utf-8").splitlines()
for number, line in enumerate(lines[:5], 1):
    for feature in json.loads(line)["explanations"]:
        names = [a.get("description", {}).get("partial_text", "value") for a in feature["attributions"]]
        values = [a["attribution"][-1] for a in feature["attributions"]]
        bars(f"Row {number}, {feature['feature_name']}", [(n, v, "") for n, v in zip(names, values)])"""


_IMAGES = """\
from IPython.display import Image

for image in analysis["explanations"]["images"]:
    print(image["image"], f"{image['width']} x {image['height']} pixels")
    for found in image["explained"]:
        display(Image(filename=found["heat_map"]))
        values = zip(range(1, image["segments"] + 1), found["segment_shap_values"], found["standard_errors"])
        ranked = sorted(values, key=lambda item: -abs(item[1]))[:10]
        title = f"{found['label']}: score {found['score']:.4f}, baseline {found['expected_value']:.4f}"
        bars(title, [(f"superpixel {n}", v, "" if e is None else f"± {e:.4f}") for n, v, e in ranked])"""


def render(findings: Findings) -> str:
    """The notebook as JSON text. It runs where analysis.json lies, with IPython and the standard library."""
    report = findings.config.report
    cells = [
        _text(f"# {report.title if report else 'Analysis Report'}"),
        _text("Everything below is drawn from `analysis.json`. Run the cells from top to bottom."),
        _code(_SETUP),
        *_bias_cells(findings),
        *_shap_cells(findings),
        *([_text("## What works together"), _code(_PAIRS)] if findings.interactions else []),
        *([_text("## What the model sees in the images"), _code(_IMAGES)] if findings.images else []),
        *([_text("## Partial dependence"), _code(_PDP)] if findings.dependence else []),
        *([_text("## What the forecasts rest on"), _code(_SERIES)] if findings.forecasts else []),
        *([_text("## Segments"), _code(_SEGMENTS)] if findings.segments else []),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "cells": [{"id": f"cell-{i}", **cell} for i, cell in enumerate(cells)],
    }
    return json.dumps(document, indent=1, ensure_ascii=False)


def _text(source: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source: str) -> Cell:
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source}


def _bias_cells(findings: Findings) -> list[Cell]:
    bias = findings.bias or BiasFindings()
    stages = [(bias.pre_training, "Bias in the data"), (bias.post_training, "Bias of the model")]
    cells = []
    for stage, title in stages:
        if stage is not None:
            cells += [_text(f"## {title}"), _code(_BIAS.format(key=stage.stage + "_metrics"))]
    return cells


def _shap_cells(findings: Findings) -> list[Cell]:
    if findings.config.shap is None or (findings.explanation is None and findings.text is None):
        return []
    cells = [_text("## Global SHAP values"), _code(_SHAP)]
    if findings.text is not None:
        cells += [_text("## Units of text"), _code(_TEXT_GLOBAL)]
    if findings.config.shap.save_local_shap_values:
        cells += [_text("## Local SHAP values"), _code(_LOCAL if findings.text is None else _TEXT)]
    return cells
