"""The report's first page: what was asked in plain words, and the findings that matter most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clary.clarify.config.analysis import AnalysisConfig
from clary.clarify.fairness.measure import FacetBias, StageBias
from clary.clarify.fairness.metrics.registry import find
from clary.clarify.findings import Findings
from clary.clarify.report import words
from clary.clarify.report.attributions import outputs_shown
from clary.clarify.report.facets import positive
from clary.clarify.report.meaning import Case, meaning

ERRORS = ("RD", "SD", "DAR", "DRR", "AD")
"""Differences of how well the model does, of which the largest is told."""

SURE, UNSURE = "clear", "unsure"


@dataclass(frozen=True)
class Finding:
    """One finding: what was found, what it means here, and how certain it is."""

    about: str
    says: str
    here: str
    certainty: str
    tone: str
    """clear, unsure, or empty where chance is not the question."""


def asked(findings: Findings, stages: Sequence[StageBias]) -> list[str]:
    """What was asked, in plain words: one sentence for each method."""
    config, told = findings.config, []
    if stages:
        names = words.listed(list(stages[0].facets))
        what = {
            (True, False): "in the data",
            (False, True): "in what the model predicts",
            (True, True): "in the data, and in what the model predicts",
        }[(config.pre_training_bias is not None, config.post_training_bias is not None)]
        told.append(f"Do outcomes ({positive(stages[0])}) differ by {names}, {what}?")
    if findings.explanation is not None:
        told.append(
            f"Which of its {findings.explanation.features.shape[1]} features does the model "
            "rest on, and how does "
            "each row come to its score?"
        )
    if findings.text is not None:
        told.append("Which words move the score?")
    if findings.images:
        told.append("Which parts of the images does the model rest on?")
    if findings.forecasts is not None:
        told.append("Which moments, and which series, do the forecasts rest on?")
    if findings.drift is not None:
        told.append("Is this batch as the baseline was?")
    if findings.dependence:
        told.append(
            f"How does the score move along {words.listed([d.feature for d in findings.dependence])}?"
        )
    return told


def source(config: AnalysisConfig) -> str:
    """Which model was asked, and for what."""
    name = config.predictor.model_name or config.predictor.endpoint_name
    if name:
        return name
    return "predictions in the data" if config.has_predictions else "given to the library"


def findings_that_matter(findings: Findings, stages: Sequence[StageBias]) -> list[Finding]:
    """Three or four: the labels, the predictions, the errors, the model's features."""
    found = [f for stage in stages for f in _of_stage(stage, findings)]
    return [*found, *_importance(findings)][:4]


def _of_stage(stage: StageBias, findings: Findings) -> Iterator[Finding]:
    groups = [["DPL"]] if stage.stage == "pre_training_bias" else [["DPPL"], list(ERRORS)]
    for names in groups:
        best = _largest(stage, names)
        if best is not None:
            yield _told(*best, stage, findings)


def _largest(stage: StageBias, names: Sequence[str]) -> tuple[FacetBias, dict[str, Any]] | None:
    """The record of these metrics that lies furthest from no disparity; certain ones before "
    "uncertain ones."""
    found = [
        (
            _is_sure(record) + _is_based(record, facet),
            abs(record["value"] - find(record["name"]).scale.fair),
            -i,
            facet,
            record,
        )
        for i, facet in enumerate(f for facets in stage.facets.values() for f in facets)
        for record in facet.metrics
        if record["name"] in names and isinstance(record["value"], float)
    ]
    if not found:
        return None
    _, _, _, facet, record = max(found, key=lambda item: item[:3])
    return facet, record


def _is_based(record: dict[str, Any], facet: FacetBias) -> bool:
    """Whether enough rows are behind a metric."""
    return not any(record["name"] in warning.metrics for warning in facet.warnings)


def _is_sure(record: dict[str, Any]) -> bool:
    return record.get("p_value") is not None and bool(record["p_value"] < 0.05)


def _told(facet: FacetBias, record: dict[str, Any], stage: StageBias, findings: Findings) -> Finding:
    group = findings.roles.group
    case = Case(facet, positive(stage), "" if group is None else str(group.name))
    about = {"DPL": "In the data", "DPPL": "In the predictions"}.get(record["name"], "In the model's errors")
    certainty, tone = certain(record, stage)
    heading, many = words.heading(facet), sum(map(len, stage.facets.values())) > 1
    return Finding(
        f"{about}: {heading}" if many else about,
        words.reading(record, facet),
        meaning(case, record),
        certainty,
        tone,
    )


def certain(record: dict[str, Any], stage: StageBias) -> tuple[str, str]:
    """How certain a value is, in words, and whether it is clear."""
    ends, p = record.get("confidence_interval"), record.get("p_value")
    if ends is None or p is None or stage.intervals is None:
        return "How certain this is was not measured.", ""
    low, high = (float(e) for e in ends)
    if abs(record["value"]) < words.NEGLIGIBLE:
        return (
            (
                f"No difference is seen; the interval goes from {words.points(low)} to "
                f"{words.points(high)} points."
            ),
            "",
        )
    share = f"{100 * stage.intervals.confidence:g} % interval {words.points(low)} to {words.points(high)}"
    if p < 0.01:
        return f"Clear: {share} points; chance alone hardly gives this (p < 0.01).", SURE
    if p < 0.05:
        return f"Likely: {share} points, p = {p:.2f}.", SURE
    return f"Unsure: {share} points; chance alone may well give this (p = {p:.2f}).", UNSURE


def _importance(findings: Findings) -> Iterator[Finding]:
    explanation = findings.explanation
    if explanation is None:
        return
    k = outputs_shown(explanation)[0]
    values = np.abs(explanation.global_values[:, k])
    total = float(values.sum())
    if not total:
        yield Finding("In the model", "No feature moves the score at all.", "", "", "")
        return
    names = list(map(str, explanation.features.columns))
    order = np.argsort(-values, kind="stable")
    top = [names[i] for i in order[:3] if values[i] > 0]
    share = float(values[order[:3]].sum()) / total
    output = f" of {explanation.outputs[k]}" if len(explanation.outputs) > 1 else ""
    facets = [_place(name, names, order, values / total) for name in findings.roles.facets if name in names]
    here = " ".join(facets) or _no_facet(list(findings.roles.facets))
    yield Finding(
        "In the model",
        f"The score{output} rests most on {words.listed(top)}: "
        f"{'they carry' if len(top) > 1 else 'it carries'} "
        f"{words.percent(share, 0)} of all that the features move it.",
        here,
        _separated(explanation, order, k),
        "",
    )


def _place(name: str, names: list[str], order: Any, shares: Any) -> str:
    i = names.index(name)
    rank = int(np.flatnonzero(order == i)[0]) + 1
    return (
        f"{name} itself is number {rank} of {len(names)}, with {words.percent(float(shares[i]))}; "
        "other features may "
        "stand in for it."
    )


def _no_facet(facets: list[str]) -> str:
    return (
        f"The model does not get {words.listed(facets)}: other features may stand in for it."
        if facets
        else ""
    )


def _separated(explanation: Any, order: Any, k: int) -> str:
    """Whether the first feature's lead is larger than the errors."""
    if len(order) < 2 or explanation.agg_method == "median":
        return ""
    taken = np.abs(explanation.values[:, order[:2], k]) ** (2 if explanation.agg_method == "mean_sq" else 1)
    difference = taken[:, 0] - taken[:, 1]
    if len(difference) < 2:
        return "One row alone says nothing about others."
    error = float(difference.std(ddof=1) / np.sqrt(len(difference)))
    first, second = (str(explanation.features.columns[i]) for i in order[:2])
    lead = float(difference.mean())
    if lead > 2 * error:
        return f"{first} leads {second} by more than two standard errors over the {len(difference):,} rows."
    return f"The lead of {first} over {second} is within two standard errors: their order is not certain."
