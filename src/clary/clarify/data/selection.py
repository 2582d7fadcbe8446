"""Which values of a counted column are meant by a value, a list or a threshold: smclarify's rules."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from clary.clarify.data.columns import Column, Value, as_number, canonical
from clary.clarify.errors import ClarifyError, known
from clary.clarify.fairness.contrast import Flags
from clary.clarify.fairness.counting.codes import ABOVE, EQUAL, SIDES, Axis
from clary.clarify.fairness.counting.encode import Question, from_series
from clary.clarify.fairness.counting.table import Gatherer

CONTINUOUS_SHARE = 0.05
"""An integer column with at least this share of distinct values is a quantity, not a category (smclarify)."""


@dataclass(frozen=True)
class Selection:
    """The values chosen by a value or a threshold (by position in the axis), and how Clarify writes that."""

    text: str
    flags: Flags
    others: str = ""
    """What the other values are, where that is one; otherwise empty."""
    threshold: float | None = None


def question(
    name: str, values: Sequence[Value] | None, rows: int, quantities: Collection[str] = ()
) -> Question:
    """How to count a column of which `values` are asked; integers named in `quantities` are no categories."""
    single = as_number(values[0]) if values is not None and len(values) == 1 else None
    return Question(name, single, int(CONTINUOUS_SHARE * rows) + 1, name in quantities)


def is_continuous(axis: Axis, values: Sequence[Value] | None = None) -> bool:
    """Whether a column is read as a quantity (with a threshold) or as categories (with values).

    smclarify 0.5's rules: categories when the type is category or boolean, or several values are asked;
    floats are quantities; integers, and text that holds only integers, are when at least 5 % are distinct.
    One rule is added: two distinct integers are categories however few rows there are (smclarify takes a 0/1
    label of up to 40 rows for a quantity and then finds no positive row).
    """
    if axis.kind in ("category", "boolean", "date") or (values is not None and len(values) > 1):
        return False
    if axis.kind == "quantity":
        return True
    if axis.kind == "text" and (axis.missing or not all(_says_integer(v) for v in axis.values)):
        return False
    return axis.distinct > 2 and axis.distinct >= CONTINUOUS_SHARE * axis.present


def column_is_continuous(column: Column, values: Sequence[Value] | None = None) -> bool:
    """The same of a column that is not counted yet."""
    asked = question(str(column.name), values, len(column))
    gatherer = Gatherer([asked.name], asked.enough)
    gatherer.add([[from_series(column, asked)]])
    return is_continuous(gatherer.table().axes[0], values)


def _says_integer(value: Any) -> bool:
    return re.fullmatch(r"\s*[+-]?\d+\s*", str(value)) is not None


def choose(axis: Axis, values: Sequence[Value] | None, what: str) -> list[Selection]:
    """The selections of a facet or label column: one by the given values, or one for each value there is.

    `what` names the column in errors. Missing values belong to no selection.
    """
    name = f"{what} {axis.name!r}"
    if axis.present == 0:
        raise ClarifyError(f"The {name} has no values at all.")
    if is_continuous(axis, values):
        return [_above(axis, values, name)]
    if values:
        flags = matches(axis, values, name)
        return [Selection(",".join(map(str, values)), flags, _others(axis, flags))]
    single = np.eye(len(axis.values), dtype=bool)
    return [Selection(str(v), single[i], _others(axis, single[i])) for i, v in enumerate(axis.values)]


def _others(axis: Axis, flags: Flags) -> str:
    left = np.flatnonzero(~flags & (axis.counts > 0))
    return str(axis.values[left[0]]) if len(left) == 1 and axis.pivot is None else ""


def _above(axis: Axis, values: Sequence[Value] | None, name: str) -> Selection:
    low, high = _ends(axis)
    if not values:
        raise ClarifyError(
            f"The {name} is a quantity from {low} to {high}: give one threshold; the rows above "
            "it are chosen."
        )
    threshold = as_number(values[0])
    if threshold is None:
        raise ClarifyError(
            f"The {name} is a quantity from {low} to {high}: {values[0]!r} is not a threshold. Give a number."
        )
    if not low <= threshold < high:
        raise ClarifyError(
            f"The {name} runs from {low} to {high}: the threshold {threshold} leaves no two sides to compare."
        )
    return Selection(
        str(pd.Interval(*_alike(threshold, high))), beyond(axis, threshold), "", float(threshold)
    )


def _ends(axis: Axis) -> tuple[Any, Any]:
    if axis.pivot is not None and axis.numbers is not None:
        ends = (axis.numbers.low, axis.numbers.high)
    else:
        numbers = [v if as_number(v) == v else int(v) for v in axis.values]
        ends = (min(numbers), max(numbers))
    return (float(ends[0]), float(ends[1])) if axis.kind == "quantity" else ends


def _alike(a: float, b: Any) -> tuple[float, float]:
    """The two ends of an interval as one type, as pandas writes them: (40, 90] but (100.0, 2278.0]."""
    whole = isinstance(a, int) and isinstance(b, int)
    return (int(a), int(b)) if whole else (float(a), float(b))


def beyond(axis: Axis, threshold: float) -> Flags:
    """The values above a threshold; ClarifyError where a value is no number."""
    if axis.pivot is not None:
        return _side(ABOVE)
    numbers = [as_number(v) for v in axis.values]
    if None in numbers:
        bad = axis.values[numbers.index(None)]
        raise ClarifyError(f"{axis.name!r} is read as a quantity, but {bad!r} is no number.")
    return np.array([number is not None and number > threshold for number in numbers], dtype=bool)


def _side(side: int) -> Flags:
    return np.asarray(np.arange(len(SIDES)) == side)


def matches(axis: Axis, values: Sequence[Value], name: str) -> Flags:
    """The values that are one of `values`; where none is, `values` are read as the column's type."""
    flags = equal_to(axis, values)
    if not axis.counts[flags].any():
        span = "" if axis.pivot is None else " It runs from {} to {}.".format(*_ends(axis))
        there = span or " " + known(values[0], axis.values, "values")
        raise ClarifyError(f"The {name} has no row with {list(values)!r}.{there}")
    return flags


def equal_to(axis: Axis, values: Sequence[Value]) -> Flags:
    """As `matches`, without the complaint when no row matches."""
    if axis.pivot is not None:
        return _side(EQUAL)
    exact = set(values)
    flags = np.array([v in exact for v in axis.values], dtype=bool)
    if flags.any():
        return flags
    alike = {form for v in values for form in _forms(v, axis)}
    return np.array([canonical(v) in alike for v in axis.values], dtype=bool)


def _forms(value: Value, axis: Axis) -> list[Any]:
    """The forms in which a value may be found; a text may say a date of a column of dates."""
    forms = [canonical(value)]
    if isinstance(value, str) and any(isinstance(v, date) for v in axis.values):
        try:
            forms.append(canonical(pd.Timestamp(value)))
        except ValueError:
            return forms
    return forms
