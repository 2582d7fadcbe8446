"""The report's sections on the facets: how their rows divide, and each metric with what it means here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from clary.clarify.fairness.contrast import Side
from clary.clarify.fairness.group_sizes import MINIMUM
from clary.clarify.fairness.measure import FacetBias, StageBias
from clary.clarify.fairness.metrics.registry import find
from clary.clarify.report import charts, words
from clary.clarify.report.meaning import Case, meaning

MOST_DETAILED = 6
"""Facet values that are shown with every metric; of more, the ones with the largest disparities."""

GLANCE = ("DPL", "DPPL", "DI", "RD", "AD")


Chosen = Collection[tuple[str, str]]
"""Facet values, each by its facet's name and its text."""


def overviews(stages: Sequence[StageBias], chosen: Chosen) -> list[dict[str, Any]]:
    """One overview for each facet value: the two sides' sizes, shares and outcomes."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for stage in stages:
        predicted = stage.stage == "post_training_bias"
        for facet in _detailed(stage, chosen):
            key = (facet.facet, facet.value_or_threshold)
            found.setdefault(key, {}).update(_overview(facet, predicted))
    return list(found.values())


def chosen(stages: Sequence[StageBias]) -> Chosen:
    """The facet values that are shown in full: all, or the ones with the largest disparities at the end."""
    everything = [f for stage in stages[-1:] for facets in stage.facets.values() for f in facets]
    strongest = sorted(everything, key=_disparity, reverse=True)[:MOST_DETAILED]
    return {(facet.facet, facet.value_or_threshold) for facet in strongest}


def _detailed(stage: StageBias, chosen: Chosen) -> list[FacetBias]:
    everything = [facet for facets in stage.facets.values() for facet in facets]
    return [facet for facet in everything if (facet.facet, facet.value_or_threshold) in chosen]


def _disparity(facet: FacetBias) -> tuple[bool, float]:
    """Large facets before ones that are too small to say much."""
    large = float(facet.contrast.sizes[1].sum()) >= MINIMUM
    found = {r["name"]: r["value"] for r in facet.metrics if isinstance(r["value"], float)}
    return large, abs(found.get("DPPL", found.get("DPL", 0.0)))


def _overview(facet: FacetBias, predicted: bool) -> dict[str, Any]:
    d, a = words.sides(facet)
    total = float(facet.contrast.sizes.sum())
    sides = [
        _side(facet, 1, d, total, predicted),
        _side(facet, 0, a, total, predicted),
    ]
    return {"heading": words.heading(facet), "a": a, "sides": sides}


def _side(facet: FacetBias, side: int, name: str, total: float, predicted: bool) -> dict[str, Any]:
    o = facet.contrast.d if side else facet.contrast.a
    rows = float(facet.contrast.sizes[side].sum())
    whole, colour = float(o.n) or 1.0, "d" if side else "a"
    shares = [("of all rows", rows / total), ("have the positive label", float(o.tp + o.fn) / whole)]
    if predicted:
        shares.append(("predicted positive", float(o.tp + o.fp) / whole))
    return {
        "name": name,
        "rows": round(rows),
        "colour": colour,
        "shares": [
            {"what": what, "share": share, "parts": [(colour, 0, round(100 * share, 2))]}
            for what, share in shares
        ],
        "outcomes": _outcomes(o, whole) if predicted else None,
    }


def _outcomes(o: Side, whole: float) -> dict[str, Any]:
    counted = (
        ("tp", "rightly positive", o.tp),
        ("fn", "missed positive", o.fn),
        ("fp", "falsely positive", o.fp),
        ("tn", "rightly negative", o.tn),
    )
    parts, start = [], 0.0
    for colour, _, rows in counted:
        width = 100 * float(rows) / whole
        parts.append((colour, round(start, 2), round(width, 2)))
        start += width
    shares = [
        {"colour": c, "what": w, "rows": round(float(n)), "share": float(n) / whole} for c, w, n in counted
    ]
    return {"parts": parts, "shares": shares}


def measured(stage: StageBias, group: str, chosen: Chosen) -> dict[str, Any]:
    """Every metric of a stage, for the facet values that are shown in full; all of them at a glance."""
    after = stage.stage == "post_training_bias"
    label = positive(stage)
    return {
        "title": "Bias of the model's predictions" if after else "Bias in the data",
        "subtitle": "Post-training metrics" if after else "Pre-training metrics",
        "key": stage.stage,
        "facets": [_facet(facet, stage, label, group) for facet in _detailed(stage, chosen)],
        "glance": _glance(stage),
    }


def positive(stage: StageBias) -> str:
    """The positive label, as in `income = >50K`; of a quantity, above what."""
    value = stage.label_value_or_threshold
    if value.startswith("("):
        return f"{stage.label} above {value[1:].partition(',')[0]}"
    return f"{stage.label} = {value.replace(',', ' or ')}"


def _glance(stage: StageBias) -> dict[str, Any] | None:
    """A table of all facet values, where not all of them are shown in full."""
    everything = [facet for facets in stage.facets.values() for facet in facets]
    if len(everything) <= MOST_DETAILED:
        return None
    names = [r["name"] for r in everything[0].metrics if r["name"] in GLANCE]
    rows = [
        [
            words.heading(facet),
            f"{round(float(facet.contrast.sizes[1].sum())):,}",
            *(words.with_interval(r) for r in facet.metrics if r["name"] in GLANCE),
        ]
        for facet in everything
    ]
    return {"head": ["Facet value against all other rows", "Rows", *names], "rows": rows}


def _facet(facet: FacetBias, stage: StageBias, label: str, group: str) -> dict[str, Any]:
    d, a = words.sides(facet)
    confidence = stage.intervals.confidence if stage.intervals else 0.0
    case = Case(facet, label, group)
    return {
        "heading": words.heading(facet),
        "a": a,
        "metrics": [_metric(record, case, confidence) for record in facet.metrics],
        "warnings": [words.warning(w, d, a) for w in facet.warnings],
    }


def _metric(record: dict[str, Any], case: Case, confidence: float) -> dict[str, Any]:
    m = find(record["name"])
    return {
        "name": m.name,
        "title": m.description.rsplit(" (", 1)[0],
        "question": m.words.meaning,
        "reading": words.reading(record, case.facet),
        "here": meaning(case, record),
        "gauge": None
        if record["value"] is None
        else charts.gauge(m.scale, record["value"], record.get("confidence_interval")),
        "shown": words.number(record["value"], signed=m.scale.low < 0),
        "sureness": words.sureness(record, confidence, signed=m.scale.low < 0),
        "range": words.range_of(m.scale),
        "documented": words.number(record["documented_sign_value"])
        if "documented_sign_value" in record
        else "",
    }
