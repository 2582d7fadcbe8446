"""From a column and the values asked of it to a yes or no for every row, by smclarify's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clary.clarify.contrast import Flags
from clary.clarify.errors import ClarifyError, known

Value = int | float | str | bool
Column = pd.Series  # one column of any type

CONTINUOUS_SHARE = 0.05
"""An integer column with at least this share of distinct values is a quantity, not a category (smclarify)."""


@dataclass(frozen=True)
class Selection:
    """The rows chosen by a value or a threshold, and how Clarify writes that choice."""

    text: str
    flags: Flags
    threshold: float | None = None


def is_continuous(column: Column, values: Sequence[Value] | None = None) -> bool:
    """Whether a column is read as a quantity (with a threshold) or as categories (with values).

    smclarify 0.5's rules: categories when the type is category or boolean, or several values are asked;
    floats are quantities; integers, and text that holds only integers, are when at least 5 % are distinct.
    One rule is added: two distinct integers are categories however few rows there are (smclarify takes a 0/1
    label of up to 40 rows for a quantity and then finds no positive row).
    """
    if isinstance(column.dtype, pd.CategoricalDtype) or (values is not None and len(values) > 1):
        return False
    if pd.api.types.is_bool_dtype(column.dtype):
        return False
    if pd.api.types.is_float_dtype(column.dtype):
        return True
    if not pd.api.types.is_integer_dtype(column.dtype) and not _holds_integers(column):
        return False
    distinct = column.nunique()
    return bool(distinct > 2 and distinct >= CONTINUOUS_SHARE * column.count())


def _holds_integers(column: Column) -> bool:
    if not (pd.api.types.is_string_dtype(column.dtype) or pd.api.types.is_object_dtype(column.dtype)):
        return False
    texts = column.astype(str)
    return bool(len(texts)) and bool(texts.str.fullmatch(r"\s*[+-]?\d+\s*").all())


def choose(column: Column, values: Sequence[Value] | None, what: str) -> list[Selection]:
    """The selections of a facet or label column: one by the given values, or one for each value there is.

    `what` names the column in errors. Missing values belong to no selection.
    """
    name = f"{what} {column.name!r}"
    if column.notna().sum() == 0:
        raise ClarifyError(f"The {name} has no values at all.")
    if is_continuous(column, values):
        return [_above(column, values, name)]
    if values:
        return [Selection(",".join(map(str, values)), matches(column, values, name))]
    return [Selection(str(v), matches(column, [v], name)) for v in column.dropna().unique()]


def _above(column: Column, values: Sequence[Value] | None, name: str) -> Selection:
    numbers = pd.to_numeric(column)
    low, high = numbers.min(), numbers.max()
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
    flags = (numbers > threshold).fillna(False).to_numpy(dtype=bool)
    return Selection(str(pd.Interval(*_alike(threshold, high))), flags, threshold)


def _alike(a: float, b: Any) -> tuple[float, float]:
    """The two ends of an interval as one type, as pandas writes them: (40, 90] but (100.0, 2278.0]."""
    whole = isinstance(a, int) and isinstance(b, int | np.integer)
    return (int(a), int(b)) if whole else (float(a), float(b))


def as_number(value: Value) -> float | None:
    """The value as a number if it is or says one."""
    if isinstance(value, int | float):
        return value
    try:
        return float(value)
    except ValueError:
        return None


def matches(column: Column, values: Sequence[Value], name: str) -> Flags:
    """The rows whose value is one of `values`; where none is, the values are read as the column's type."""
    flags = equal_to(column, values)
    if not flags.any():
        present = list(column.dropna().unique())
        raise ClarifyError(
            f"The {name} has no row with {list(values)!r}. {known(values[0], present, 'values')}"
        )
    return flags


def equal_to(column: Column, values: Sequence[Value]) -> Flags:
    """As `matches`, without the complaint when no row matches."""
    plain = column.astype(object)
    flags = _isin(plain, list(values))
    return flags if flags.any() else _isin(plain.map(canonical), [canonical(v) for v in values])


def _isin(column: Column, values: list[Any]) -> Flags:
    flags: Flags = column.isin(values).to_numpy(dtype=bool)
    return flags


def canonical(value: Any) -> Any:
    """One form for 1, 1.0, "1" and "1.0", and for True, "true" and "True": for comparing across types."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    text = str(value)
    number = as_number(text)
    return number if number is not None else (text.lower() if text.lower() in ("true", "false") else text)
