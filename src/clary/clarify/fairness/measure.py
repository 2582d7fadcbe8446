"""Bias metrics of a table: every facet against all other rows, before and after training."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from clary.clarify.data.columns import Column
from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.contrast import Contrast
from clary.clarify.fairness.group_sizes import MINIMUM, SmallGroup, small_groups
from clary.clarify.fairness.intervals import THOUSAND, Intervals, with_intervals
from clary.clarify.fairness.metrics import POST_TRAINING, PRE_TRAINING, Metric, Stage, metrics_of, result
from clary.clarify.fairness.streaming import tabulate_path
from clary.clarify.fairness.tabulation import (
    Facets,
    Parts,
    Tabulation,
    Target,
    contrast_of,
    flips_of,
    tabulate,
)


@dataclass(frozen=True)
class Asked:
    """What is measured of each facet."""

    methods: str | Sequence[str] = "all"
    intervals: Intervals | None = THOUSAND
    minimum_group_size: int = MINIMUM


@dataclass(frozen=True)
class FacetBias:
    """One facet value: how its rows divide, and its metrics in Clarify's form."""

    facet: str
    value_or_threshold: str
    contrast: Contrast
    metrics: list[dict[str, Any]]
    others: str
    """What the other rows are, where that is one value; otherwise empty."""
    threshold: float | None = None
    """The value above which rows are in the facet, where it is chosen so."""
    warnings: list[SmallGroup] = field(default_factory=list)

    def in_json(self) -> dict[str, Any]:
        """Clarify's entry of a facet value, with Clary's members after Clarify's."""
        d, a = (int(side.sum()) for side in (self.contrast.sizes[1], self.contrast.sizes[0]))
        entry = {"value_or_threshold": self.value_or_threshold, "metrics": self.metrics}
        return {**entry, "rows": {"facet": d, "others": a}, "warnings": [w.in_json() for w in self.warnings]}


@dataclass(frozen=True)
class StageBias:
    """The metrics of one stage (before or after training) for all facets."""

    stage: Stage
    label: str
    label_value_or_threshold: str
    facets: dict[str, list[FacetBias]]
    intervals: Intervals | None = None

    def in_json(self) -> dict[str, Any]:
        """Clarify's part of analysis.json for the stage, with Clary's members after Clarify's."""
        part: dict[str, Any] = {
            "label": self.label,
            "label_value_or_threshold": self.label_value_or_threshold,
            "facets": {name: [f.in_json() for f in facets] for name, facets in self.facets.items()},
        }
        return part if self.intervals is None else {**part, "intervals": self.intervals.in_json()}


def bias(
    data: pd.DataFrame | str | Path,
    facets: Facets,
    target: Target,
    group: Column | str | None = None,
    methods: str | Sequence[str] = "all",
    weights: Column | str | None = None,
    intervals: Intervals | None = THOUSAND,
    quantities: Collection[str] = (),
) -> StageBias:
    """Measure the bias of labels, or of predictions where the target has some.

    `data` holds the facets and features: a table, or a path of Parquet or CSV files, whose columns are then
    named and whose rows are counted without being held in memory. `facets` maps a column to its sensitive
    values, to one threshold, or to None (one value after the other against all). `group` is the group
    variable of the conditional metrics, `weights` the rows' sample weights. Columns beside `data` have its
    rows in its order. Integer columns named in `quantities` have thresholds however few of their values
    differ (Clarify reads them as categories below 5 %).

    Raises ClarifyError where a column or value is not there. A metric that has no value in this table
    carries an `error` instead, and the others go on.
    """
    _check(data, facets, target)
    if isinstance(data, pd.DataFrame):
        tabulation = tabulate(data, facets, target, group, weights, quantities)
    else:
        tabulation = tabulate_path(Path(data), facets, target, group, weights, methods, quantities)
    stage = PRE_TRAINING if target.predicted is None else POST_TRAINING
    return stage_bias(tabulation, stage, Asked(methods, intervals))


def _check(data: Any, facets: Any, target: Target) -> None:
    """ClarifyError for arguments of another type, which would be taken apart letter by letter."""
    if not isinstance(data, pd.DataFrame | str | Path):
        raise ClarifyError(f"data must be a table or a path, not {type(data).__name__}.")
    if not isinstance(facets, Mapping):
        raise ClarifyError(f'facets must map columns to values ({{"sex": ["Female"]}}), not {facets!r:.80}.')
    listed = {f"facets[{name!r}]": values for name, values in facets.items() if values is not None}
    for what, values in {**listed, "Target.positive": target.positive}.items():
        if isinstance(values, str) or not isinstance(values, Collection):
            raise ClarifyError(f"{what} must be a list of values, [{values!r:.80}], not {values!r:.80}.")


def stage_bias(tabulation: Tabulation, stage: Stage, asked: Asked) -> StageBias:
    """The metrics of one stage, from rows that are counted already."""
    metrics = metrics_of(stage, asked.methods)
    measured: dict[str, list[FacetBias]] = {}
    for axis, (name, selections) in enumerate(tabulation.facets.items()):
        measured[name] = []
        for chosen in selections:
            contrast, records, warnings = _measure(
                tabulation, [(axis, chosen.flags)], stage, metrics, asked, f"{axis}={chosen.text}"
            )
            facet = FacetBias(name, chosen.text, contrast, records, chosen.others, chosen.threshold, warnings)
            measured[name].append(facet)
    return StageBias(stage, tabulation.label, tabulation.positive.text, measured, asked.intervals)


def _measure(
    tabulation: Tabulation, parts: Parts, stage: Stage, metrics: list[Metric], asked: Asked, key: str
) -> tuple[Contrast, list[dict[str, Any]], list[SmallGroup]]:
    """The rows of `parts` against all others: contrast, records, warnings."""
    hat = tabulation.hat if stage == POST_TRAINING else None
    contrast = contrast_of(tabulation, parts, tabulation.positive.flags, hat)
    if any(m.name == "FT" for m in metrics) and contrast.sizes[0].any() and contrast.sizes[1].any():
        try:
            contrast = replace(contrast, flips=flips_of(tabulation, parts))
        except ValueError as error:
            contrast = replace(contrast, why_no_flips=str(error))
    warnings = small_groups(contrast, stage, metrics, asked.minimum_group_size)
    return contrast, records_of(contrast, metrics, asked, key), warnings


def records_of(contrast: Contrast, metrics: list[Metric], asked: Asked, key: str) -> list[dict[str, Any]]:
    """Clarify's records of the metrics of a contrast, with intervals if asked, which `key` seeds."""
    records = [_with_other_sign(result(m, contrast)) for m in metrics]
    if asked.intervals is None:
        return records
    return with_intervals(records, metrics, contrast, asked.intervals, zlib.crc32(key.encode()))


def _with_other_sign(record: dict[str, Any]) -> dict[str, Any]:
    """The flip test also with the sign of AWS's documentation, which is the opposite of smclarify's."""
    if record["name"] != "FT" or record["value"] is None:
        return record
    return {**record, "documented_sign_value": 0.0 - record["value"]}
