"""The report's part about segments: each one's size, bias and strongest features beside the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clary.clarify.fairness.analysis import BiasFindings
from clary.clarify.fairness.measure import FacetBias
from clary.clarify.findings import Findings
from clary.clarify.report import words
from clary.clarify.report.bias import SHOWN, Table
from clary.clarify.segments import SegmentedBy, SegmentFindings
from clary.clarify.shap.explanation import Explanation

FEATURES = 8
"""The strongest features of the whole data are shown."""
NOISE = 1e-9
"""Values that are so much smaller than the largest are rounding, and are not shown."""
ALL = "All rows"


@dataclass(frozen=True)
class Part:
    """One segment as the report shows it."""

    name: str
    values: str
    rows: int
    share: float
    errors: Sequence[str]


@dataclass(frozen=True)
class Division:
    """All segments of a column, and what compares them."""

    title: str
    parts: list[Part]
    tables: list[Table]


def divisions(findings: Findings) -> list[Division]:
    return [_division(found, findings) for found in findings.segments]


def _division(found: SegmentedBy, findings: Findings) -> Division:
    named = found.column if found.name == found.column else f"{found.name} ({found.column})"
    tables = [*_bias(found, findings.bias), *_features(found, findings.explanation)]
    return Division(named, [_part(item, findings.rows) for item in found.segments], tables)


def _part(item: SegmentFindings, rows: int) -> Part:
    values = item.segment.values
    text = "all other rows" if values is None else ", ".join(map(str, values))
    return Part(item.segment.name, text, item.rows, item.rows / max(rows, 1), item.errors)


Facets = dict[tuple[str, str, str], FacetBias]


def _facets(bias: BiasFindings | None) -> Facets:
    """Every facet value of both stages, by stage, facet and value."""
    stages = [] if bias is None else [s for s in (bias.pre_training, bias.post_training) if s is not None]
    return {
        (stage.stage, facet.facet, _meant(facet)): facet
        for stage in stages
        for facets in stage.facets.values()
        for facet in facets
    }


def _meant(facet: FacetBias) -> str:
    """What chose the facet's rows: of a threshold the threshold, for the interval above it ends elsewhere."""
    return facet.value_or_threshold if facet.threshold is None else f"> {facet.threshold!r}"


def _bias(found: SegmentedBy, whole: BiasFindings | None) -> Iterator[Table]:
    each = [(item.segment.name, _facets(item.bias)) for item in found.segments]
    for key, facet in _facets(whole).items():
        where = "of the predictions" if key[0].startswith("post") else "in the data"
        names = [r["name"] for r in facet.metrics if r["name"] in SHOWN]
        rows = [[name, *_values(facets.get(key), names)] for name, facets in [(ALL, _facets(whole)), *each]]
        yield Table(f"Bias {where}: {words.heading(facet)}", "", ["Rows of", *names], rows)


def _values(facet: FacetBias | None, names: Sequence[str]) -> list[str]:
    if facet is None:
        return ["no value"] * len(names)
    records: dict[str, dict[str, Any]] = {record["name"]: record for record in facet.metrics}
    return [words.number(records[name]["value"], signed=name != "DI") for name in names]


def _features(found: SegmentedBy, whole: Explanation | None) -> Iterator[Table]:
    """The global values of the strongest features, of the whole and of each segment."""
    if whole is None:
        return
    each = [(i.segment.name, i.explanation) for i in found.segments if i.explanation is not None]
    for k, output in enumerate(whole.outputs):
        size = np.abs(whole.global_values[:, k])
        order = np.argsort(-size, kind="stable")[:FEATURES]
        order = order[size[order] > NOISE * size.max()]
        rows = [
            [
                str(whole.features.columns[at]),
                *(words.plain(float(e.global_values[at, k])) for _, e in [(ALL, whole), *each]),
            ]
            for at in order
        ]
        title = "Importance of features" if len(whole.outputs) == 1 else f"Importance for {output}"
        yield Table(title, "", ["Feature", ALL, *(name for name, _ in each)], rows)
