"""Segments: which rows are in which, and the analysis of each one's rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from clary.clarify.config.analysis import AnalysisConfig
from clary.clarify.config.segments import DEFAULT, SegmentConfig
from clary.clarify.data.columns import Column, Value, canonical
from clary.clarify.data.roles import Roles
from clary.clarify.data.selection import column_is_continuous
from clary.clarify.errors import ClarifyError, known
from clary.clarify.fairness.analysis import BiasFindings, find_bias, from_rows
from clary.clarify.fairness.beyond.thresholds import Scores
from clary.clarify.fairness.contrast import Flags
from clary.clarify.shap.explanation import AGGREGATE, Explanation

NUMBER = r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|inf)"
INTERVAL = re.compile(rf"\s*([\[(])\s*({NUMBER})\s*,\s*({NUMBER})\s*([\])])\s*")


@dataclass(frozen=True)
class Segment:
    """Some rows of the data, by values of one column."""

    name: str
    values: list[Value] | None
    """What the rows have in the column; None for the rows of no other segment."""
    rows: Flags
    why_empty: str = ""


@dataclass(frozen=True)
class Segmentation:
    """The segments of one column. A row may be in several; one without a value is in the default segment."""

    name: str
    column: str
    segments: list[Segment]


@dataclass(frozen=True)
class SegmentFindings:
    """What was found in one segment's rows; an error in one leaves the others as they are."""

    segment: Segment
    bias: BiasFindings | None = None
    explanation: Explanation | None = None
    errors: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return int(self.segment.rows.sum())

    def in_json(self) -> dict[str, Any]:
        """The sections of analysis.json, of these rows alone."""
        document: dict[str, Any] = {"values": self.segment.values or DEFAULT, "rows": self.rows}
        if self.bias is not None:
            document |= self.bias.in_json()
        if self.explanation is not None:
            document["explanations"] = {"kernel_shap": self.explanation.in_json()}
        return {**document, "errors": list(self.errors)} if self.errors else document


@dataclass(frozen=True)
class SegmentedBy:
    """The findings of all segments of one column."""

    name: str
    column: str
    segments: list[SegmentFindings]

    def in_json(self) -> dict[str, Any]:
        found = {item.segment.name: item.in_json() for item in self.segments}
        return {"column": self.column, "segments": found}


def divided(column: Column, config: SegmentConfig) -> Segmentation:
    """The rows of each segment. ClarifyError where values do not fit the column; no row is no error."""
    name = str(column.name)
    within = _inside if _by_intervals(column, config) else _among
    segments, left = [], np.ones(len(column), dtype=bool)
    for i, values in enumerate(config.segments):
        rows, why = within(column, values)
        left &= ~rows
        segments.append(Segment(config.name(i), values, rows, why))
    why = "Every row is in one of the segments."
    segments.append(Segment(config.name(len(config.segments)), None, left, why))
    return Segmentation(config.config_name or name, name, segments)


def _by_intervals(column: Column, config: SegmentConfig) -> bool:
    """Whether the segments are intervals of a column of numbers."""
    values = [v for segment in config.segments for v in segment]
    written = [isinstance(v, str) and INTERVAL.fullmatch(v) is not None for v in values]
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        return False
    if all(written):
        return True
    bad = values[written.index(False)]
    if any(written) or column_is_continuous(column):
        raise ClarifyError(
            f"segment_config: {column.name!r} runs from {column.min()} to {column.max()}, and {bad!r} is no "
            'interval: write all of its segments as intervals, for example "[1, 4]" or "(5, 6]".'
        )
    return False


def _inside(column: Column, intervals: Sequence[Value]) -> tuple[Flags, str]:
    numbers = column.to_numpy(dtype=float, na_value=np.nan)
    rows = np.zeros(len(numbers), dtype=bool)
    for text in intervals:
        found = INTERVAL.fullmatch(str(text))
        if found is None:
            raise ClarifyError(f"segment_config: {text!r} is no interval such as [1, 4] or (5, 6].")
        low, high = float(found[2]), float(found[3])
        if low > high:
            raise ClarifyError(f"segment_config: the interval {text!r} ends before it begins.")
        above = numbers >= low if found[1] == "[" else numbers > low
        rows |= above & (numbers <= high if found[4] == "]" else numbers < high)
    return rows, f"No row is there: {column.name!r} runs from {column.min()} to {column.max()}."


def _among(column: Column, values: Sequence[Value]) -> tuple[Flags, str]:
    wanted = {canonical(v) for v in values}
    codes, kinds = pd.factorize(column.astype(object))
    flags = np.array([canonical(kind) in wanted for kind in kinds], dtype=bool)
    why = f"No row has {', '.join(map(repr, values))}. {known(values[0], kinds, 'values')}"
    return np.append(flags, False)[codes], why


def analysed(
    segmentation: Segmentation,
    roles: Roles,
    config: AnalysisConfig,
    predicted: tuple[Column | Flags | None, Scores | None],
    explanation: Explanation | None,
    log: Callable[[str], None],
) -> SegmentedBy:
    """Bias and SHAP values of each segment, by what is known of all rows: the model is not asked again.

    What is a category and what a quantity is decided on all rows, so that a facet means the same in every
    segment. SHAP values keep the baseline of the whole.
    """
    measure = _bias_of(roles, config, *predicted) if config.measures_bias else None
    found = []
    for segment in segmentation.segments:
        found.append(_one(segment, measure, explanation))
    names = ", ".join(f"{item.segment.name} ({item.rows:,})" for item in found)
    log(f"Segments of {segmentation.column!r}: {names}.")
    return SegmentedBy(segmentation.name, segmentation.column, found)


Measure = Callable[[Flags], tuple[BiasFindings | None, tuple[str, ...]]]
"""The bias of some rows, and what could not be measured of them."""


def _one(segment: Segment, measure: Measure | None, explanation: Explanation | None) -> SegmentFindings:
    if not segment.rows.any():
        return SegmentFindings(segment, errors=(segment.why_empty,))
    bias, errors = (None, ()) if measure is None else measure(segment.rows)
    return SegmentFindings(segment, bias, _explained(explanation, segment), errors)


def _bias_of(
    roles: Roles, config: AnalysisConfig, predicted: Column | Flags | None, scores: Scores | None
) -> Measure:
    """Measures some rows, without remedies and intersections, which a segment is too small for."""
    fixed, quantities = _typed(roles, config)
    settings = replace(config.bias, quantities=quantities, mitigation=False, intersections=[])
    config = replace(config, bias=settings)

    def measure(rows: Flags) -> tuple[BiasFindings | None, tuple[str, ...]]:
        part, some = fixed.part(rows), None if predicted is None else predicted[rows]
        if isinstance(some, pd.Series):
            some = some.reset_index(drop=True)

        def of(facets: dict[str, list[Value] | None]) -> BiasFindings:
            tabulation = from_rows(config, replace(part, facets=facets), some)
            return find_bias(config, tabulation, None if scores is None else scores[rows], lambda line: None)

        return _measurable(part.facets, of)

    return measure


def _measurable(
    facets: dict[str, list[Value] | None], of: Callable[[dict[str, list[Value] | None]], BiasFindings]
) -> tuple[BiasFindings | None, tuple[str, ...]]:
    """The bias by all facets, or by those that these rows allow, with why the others have none."""
    try:
        return of(facets), ()
    except ClarifyError as error:
        if len(facets) == 1:
            return None, (str(error),)
    parts = {name: _measurable({name: values}, of) for name, values in facets.items()}
    errors = tuple(dict.fromkeys(error for _, errors in parts.values() for error in errors))
    kept = {name: facets[name] for name, (bias, _) in parts.items() if bias is not None}
    return (of(kept) if kept else None), errors


def _typed(roles: Roles, config: AnalysisConfig) -> tuple[Roles, tuple[str, ...]]:
    """Integer facets and label as the categories, or quantities, that they are in the whole data."""
    table, label = roles.table.copy(deep=False), roles.label
    quantities = set(config.bias.quantities)
    for name, values in roles.facets.items():
        table[name] = _fixed(table[name], values, quantities)
    if label is not None:
        label = _fixed(label, config.label_values_or_threshold, quantities)
    return replace(roles, table=table, label=label), tuple(sorted(quantities))


def _fixed(column: Column, values: Sequence[Value] | None, quantities: set[str]) -> Column:
    name = str(column.name)
    if name in quantities or not pd.api.types.is_integer_dtype(column.dtype):
        return column
    if column_is_continuous(column, values):
        quantities.add(name)
        return column
    return column.astype("category")


def _explained(explanation: Explanation | None, segment: Segment) -> Explanation | None:
    """The values of the segment's rows among those explained, aggregated anew."""
    if explanation is None:
        return None
    rows = segment.rows[explanation.features.index]
    if not rows.any():
        return None
    values = explanation.values[rows]
    return replace(
        explanation,
        features=explanation.features[rows],
        values=values,
        errors=explanation.errors[rows],
        scores=explanation.scores[rows],
        global_values=AGGREGATE[explanation.agg_method](values),
    )
