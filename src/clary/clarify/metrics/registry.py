"""What a bias metric is, and the list of all of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from clary.clarify.contrast import Contrast
from clary.clarify.errors import ClarifyError, known

Stage = Literal["pre_training_bias", "post_training_bias"]
Formula = Callable[[Contrast], float]
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


@dataclass(frozen=True)
class Metric:
    """One metric: its formula and its words."""

    name: str
    description: str
    stage: Stage
    compute: Formula
    words: Words
    scale: Scale


_METRICS: dict[str, Metric] = {}


def metric(
    name: str, description: str, stage: Stage, words: Words, scale: Scale = Scale()
) -> Callable[[Formula], Formula]:
    """Register the decorated function as the metric `name`; `description` is Clarify's, word for word."""

    def register(compute: Formula) -> Formula:
        _METRICS[name] = Metric(name, description, stage, compute, words, scale)
        return compute

    return register


def find(name: str) -> Metric:
    """The metric called `name`."""
    return _METRICS[name]


def metrics_of(stage: Stage, methods: str | list[str] = "all") -> list[Metric]:
    """The asked metrics of a stage, sorted by name as Clarify sorts them; ClarifyError for an unknown one."""
    here = {name: m for name, m in sorted(_METRICS.items()) if m.stage == stage}
    if methods == "all":
        return list(here.values())
    asked = [methods] if isinstance(methods, str) else methods
    for name in asked:
        if name not in here:
            raise ClarifyError(f"methods.{stage} has no metric {name!r}. {known(name, here, 'metrics')}")
    return [m for name, m in here.items() if name in asked]


def result(m: Metric, contrast: Contrast) -> dict[str, Any]:
    """Clarify's record of one metric: name, description, value, and error where it has no value."""
    record: dict[str, Any] = {"name": m.name, "description": m.description, "value": None}
    try:
        record["value"] = in_json(float(m.compute(contrast)))
    except ValueError as error:
        record["error"] = str(error)
    return record


def in_json(value: float) -> float | str:
    """Infinity has no JSON number: Clarify writes it as a string."""
    return value if math.isfinite(value) else str(value).replace("inf", "Infinity")


def divide(x: float, y: float) -> float:
    """x / y, where 0/0 is 0 and x/0 is an infinity of x's sign (the convention of smclarify)."""
    if y != 0:
        return x / y
    return math.copysign(math.inf, x) if x else 0.0


def difference(x: float, y: float) -> float:
    """x - y, where two equal infinities differ by 0 (the convention of smclarify)."""
    return 0.0 if x == y else x - y


def both_facets(contrast: Contrast) -> tuple[int, int]:
    """The numbers of rows (na, nd); an error if one facet has none, since there is nothing to compare."""
    na, nd = contrast.table.sum(axis=(1, 2)).tolist()
    if nd == 0:
        raise ValueError("The facet has no rows: nothing to compare. Check the facet's value or threshold.")
    if na == 0:
        raise ValueError("All rows are in the facet: nothing to compare it with.")
    return na, nd
