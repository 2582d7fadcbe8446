"""Columns as small numbers: what counting works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Kind = Literal["category", "boolean", "integer", "quantity", "text", "date"]
Codes = NDArray[np.integer[Any]]

BELOW, EQUAL, ABOVE = range(3)
SIDES = ("below", "equal", "above")
"""The values of a column that is only compared with one number, its pivot."""


@dataclass(frozen=True)
class Numbers:
    """The range of a numeric column, and its different values where somebody may ask how many there are."""

    low: Any
    high: Any
    distinct: NDArray[Any]


def either(one: Numbers | None, other: Numbers | None, enough: int) -> Numbers | None:
    """The numbers of two parts of a column together; more than `enough` different ones need not be known."""
    if one is None or other is None:
        return one or other
    low, high = min(one.low, other.low), max(one.high, other.high)
    if len(one.distinct) >= enough:
        return Numbers(low, high, one.distinct)
    return Numbers(low, high, pd.unique(np.concatenate([one.distinct, other.distinct])))


@dataclass(frozen=True)
class Coded:
    """Some rows of a column: row i has `values[codes[i]]`, or no value where its code is -1.

    With a pivot the values are SIDES: where a row's value lies to the pivot.
    """

    codes: Codes
    values: Sequence[Any]
    kind: Kind
    pivot: float | None = None
    numbers: Numbers | None = None
    gaps: bool = True
    """Whether values may be missing."""

    @property
    def slots(self) -> int:
        """How many codes there are, the one of missing values included."""
        return len(self.values) + self.gaps


@dataclass(frozen=True)
class Axis:
    """A counted column: its values in the order in which they first appear."""

    name: str
    values: tuple[Any, ...]
    kind: Kind
    pivot: float | None
    numbers: Numbers | None
    counts: NDArray[np.float64]
    """The number of rows of each value."""
    missing: float
    """The number of rows without a value."""

    @property
    def present(self) -> float:
        return float(self.counts.sum())

    @property
    def distinct(self) -> int:
        """The number of different values. Of a quantity compared with a pivot it is not known."""
        return len(self.values if self.pivot is None or self.numbers is None else self.numbers.distinct)
