"""What a bias metric is, and the list of all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

import numpy as np

from clary.clarify.errors import ClarifyError, known
from clary.clarify.fairness.contrast import Contrast, Counts, Flags

Stage = Literal["pre_training_bias", "post_training_bias"]
Formula = Callable[[Contrast], Counts]
PRE_TRAINING: Stage = "pre_training_bias"
POST_TRAINING: Stage = "post_training_bias"


@dataclass(frozen=True)
class Words:
    """What a report says about a metric.

    `above`, `below` (the fair value) and `level` are templates over {d} (the sensitive facet), {a} (the
    others), {size} (the value's magnitude), {percent} and {points} (the same in percentage points).
    """

    meaning: str
    above: str
    level: str
    below: str = ""


@dataclass(frozen=True)
class Scale:
    """The value that says "no disparity", and the range of possible values (infinite where open)."""

    fair: float = 0.0
    low: float = -1.0
    high: float = 1.0

    @property
    def one_sided(self) -> bool:
        """Whether the fair value is the least there is, so that chance can only lie above it."""
        return self.low == self.fair


@dataclass(frozen=True)
class Need:
    """What a table must have for a metric to have a value, and what is said where it has not."""

    holds: Callable[[Contrast], Flags]
    otherwise: str | Callable[[Contrast], str]

    def why_not(self, contrast: Contrast) -> str:
        return self.otherwise if isinstance(self.otherwise, str) else self.otherwise(contrast)


BOTH_FACETS = (
    Need(
        lambda c: c.compares[0],
        "The facet has no rows: nothing to compare. Check the facet's value or threshold.",
    ),
    Need(
        lambda c: c.compares[1],
        "All rows are in the facet: nothing to compare it with.",
    ),
)


@dataclass(frozen=True)
class Metric:
    """One metric: its formula, what the formula needs, and its words.

    `compute` takes a contrast with any leading axes and returns one value for each table, whatever it is
    worth; `values` knows where there is none.
    """

    name: str
    description: str
    stage: Stage
    compute: Formula
    needs: tuple[Need, ...]
    words: Words
    scale: Scale
    tested: bool = True
    """Whether "no disparity" is a hypothesis that can be tested."""


_METRICS: dict[str, Metric] = {}


def metric(
    name: str,
    description: str,
    stage: Stage,
    words: Words,
    scale: Scale = Scale(),
    needs: tuple[Need, ...] = BOTH_FACETS,
    tested: bool = True,
) -> Callable[[Formula], Formula]:
    """Register the decorated function as the metric `name`; `description` is Clarify's, word for word."""

    def register(compute: Formula) -> Formula:
        _METRICS[name] = Metric(name, description, stage, compute, needs, words, scale, tested)
        return compute

    return register


def find(name: str) -> Metric:
    """The metric called `name`."""
    return _METRICS[name]


def metrics_of(stage: Stage, methods: str | Sequence[str] = "all") -> list[Metric]:
    """The asked metrics of a stage, sorted by name as Clarify sorts them; ClarifyError for an unknown one."""
    here = {name: m for name, m in sorted(_METRICS.items()) if m.stage == stage}
    if methods == "all":
        return list(here.values())
    asked = [methods] if isinstance(methods, str) else methods
    for name in asked:
        if name not in here:
            raise ClarifyError(f"methods.{stage} has no metric {name!r}. {known(name, here, 'metrics')}")
    return [m for name, m in here.items() if name in asked]


def values(m: Metric, contrast: Contrast) -> Counts:
    """The metric of every table of a contrast; NaN where a table does not have what the metric needs."""
    defined = reduce(np.logical_and, (need.holds(contrast) for need in m.needs))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(defined, m.compute(contrast), np.nan)


def value(m: Metric, contrast: Contrast) -> float:
    """The metric of one table; ValueError with the reason where it has none."""
    for need in m.needs:
        if not need.holds(contrast):
            raise ValueError(need.why_not(contrast))
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(m.compute(contrast))


def result(m: Metric, contrast: Contrast) -> dict[str, Any]:
    """Clarify's record of one metric: name, description, value, and error where it has no value."""
    record: dict[str, Any] = {"name": m.name, "description": m.description, "value": None}
    try:
        record["value"] = in_json(value(m, contrast))
    except ValueError as error:
        record["error"] = str(error)
    return record


def in_json(number: float) -> float | str:
    """Infinity has no JSON number: Clarify writes it as a string."""
    return number if math.isfinite(number) else str(number).replace("inf", "Infinity")


def divide(x: Counts, y: Counts) -> Counts:
    """x / y, where 0/0 is 0 and x/0 is an infinity of x's sign (the convention of smclarify)."""
    return np.where((x == 0) & (y == 0), 0.0, x / y)


def difference(x: Counts, y: Counts) -> Counts:
    """x - y, where two equal infinities differ by 0 (the convention of smclarify)."""
    return np.where(x == y, 0.0, x - y)
