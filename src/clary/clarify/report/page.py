"""All that a report shows, as plain data: report.html and report.pdf are laid out from it.

A new section is one more key here and a template of its own that report.html.jinja includes; where cards
with tables and pictures will do, it is an entry of `further`, which both reports lay out alike.
"""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from clary.clarify.fairness.analysis import BiasFindings
from clary.clarify.fairness.measure import StageBias
from clary.clarify.findings import Findings
from clary.clarify.report import (
    attributions,
    charts,
    columns,
    drift,
    facets,
    images,
    interactions,
    segments,
    summary,
    text,
    time_series,
    words,
)
from clary.clarify.report.bias import tables
from clary.clarify.report.drawing import picture

PACKAGES = (
    "clary", "numpy", "pandas", "scikit-learn", "shap", "scikit-image", "pillow", "xgboost-cpu", "xgboost",
)  # fmt: skip


def page(findings: Findings) -> dict[str, Any]:
    """The whole report. Texts are plain: whoever lays them out escapes them. Pictures are SVG."""
    report = findings.config.report
    bias = findings.bias or BiasFindings()
    stages = [s for s in (bias.pre_training, bias.post_training) if s is not None]
    group = "" if findings.roles.group is None else str(findings.roles.group.name)
    chosen = facets.chosen(stages)
    return {
        "title": report.title if report else "Analysis Report",
        "made": datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        "asked": summary.asked(findings, stages),
        "facts": _facts(findings, stages),
        "findings": summary.findings_that_matter(findings, stages),
        "data": columns.section(findings) or (columns.counted(stages[0]) if stages else None),
        "facets": facets.overviews(stages, chosen),
        "stages": [facets.measured(stage, group, chosen) for stage in stages],
        "further": _further(bias, chosen),
        "shap": attributions.section(findings),
        "apart": (apart := _apart(findings)),
        "only_on_the_page": [title for key, title in APART.items() if apart[key]],
        "curves": [_curve(findings, i) for i in range(len(findings.dependence))],
        "again": _again(findings),
    }


APART = {
    "drift": "Drift from the baseline",
    "divisions": "Segments",
    "interactions": "What works together",
    "series": "What the forecast rests on",
    "images": "What the model sees in the images",
    "text": "Which words move the score",
}
"""Sections that only report.html has, by their key."""


def _apart(findings: Findings) -> dict[str, Any]:
    return {
        "drift": drift.section(findings.drift),
        "divisions": segments.divisions(findings),
        "interactions": interactions.view(findings.interactions),
        "series": time_series.view(findings.forecasts),
        "images": images.pictures(findings),
        "text": text.section(findings.text),
    }


def _facts(findings: Findings, stages: list[StageBias]) -> list[tuple[str, str]]:
    config, explanation = findings.config, findings.explanation
    facts = _size(findings)
    if stages:
        facts.append(("Positive label", facets.positive(stages[0])))
    if config.needs_model or config.has_predictions:
        facts.append(("Model", summary.source(config)))
    if explanation is not None:
        facts.append(("Model calls for SHAP", f"{explanation.evaluations:,} rows"))
    return facts


def _size(findings: Findings) -> list[tuple[str, str]]:
    """How much data there is, in its own terms."""
    if findings.forecasts is not None:
        items, horizon = len(findings.forecasts.items), len(findings.forecasts.items[0].forecast)
        steps = [("Time steps", f"{findings.rows:,}"), ("Steps ahead", f"{horizon:,}")]
        return [("Items", f"{items:,}"), *steps]
    if findings.images:
        return [("Images", f"{findings.rows:,}")]
    return [("Rows", f"{findings.rows:,}"), ("Features", f"{findings.roles.features.shape[1]:,}")]


def _further(bias: BiasFindings, chosen: facets.Chosen) -> list[dict[str, Any]]:
    """Sections made of cards with a table, a picture (`svg`), or both."""
    found = [{"svg": "", **vars(table)} for table in tables(bias, chosen)]
    if not found:
        return []
    return [
        {
            "key": "beyond",
            "title": "Subgroups, classes and remedies",
            "intro": "Measures beyond those above. A remedy's table shows each metric before and after it.",
            "cards": found,
        }
    ]


def _curve(findings: Findings, i: int) -> dict[str, Any]:
    found = charts.curve(findings.dependence[i], findings.outputs)
    svg = "" if found.bars else picture("curve", found)
    return {"name": found.name, "output": found.output, "svg": svg, "bars": found.bars, "more": found.more}


def _again(findings: Findings) -> dict[str, Any]:
    """What is needed to get the same numbers again."""
    return {
        "config": json.dumps(findings.asked, indent=2, ensure_ascii=False),
        "versions": _versions(),
        "settings": _settings(findings),
    }


def _settings(findings: Findings) -> list[str]:
    config, explanation, told = findings.config, findings.explanation, []
    if findings.bias is not None and config.bias.intervals is not None:
        how = config.bias.intervals
        told.append(
            f"Intervals: {how.replicates:,} multinomial draws, seed {how.seed}, the middle "
            f"{100 * how.confidence:g} %."
        )
    if config.shap is not None and explanation is not None:
        seed = (
            "none, so sampled values differ from run to run"
            if config.shap.seed is None
            else str(config.shap.seed)
        )
        told.append(
            f"SHAP: {_samples(findings)}, {len(explanation.baseline):,} baseline "
            f"{'row' if len(explanation.baseline) == 1 else 'rows'} "
            f"(explanations_shap/baseline.csv), seed {seed}."
        )
    return told


def _samples(findings: Findings) -> str:
    shap = findings.config.shap
    asked = None if shap is None else shap.num_samples
    return "as many coalitions a row as Clarify draws" if asked is None else f"{asked:,} coalitions a row"


def _versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return words.listed(found, len(found)) + "."
