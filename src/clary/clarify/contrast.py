"""The contingency table that every bias metric reads: rows counted by group, facet, label and prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """What a metric that counting cannot give (the flip test) needs of every row."""

    features: pd.DataFrame
    sensitive: Flags
    predicted: Flags


@dataclass(frozen=True)
class Contrast:
    """The sensitive facet d against all other rows a.

    `cells[g, s, y, p]` counts the rows of group g with facet s (1 = d), label y and prediction p (1 =
    positive). The last group holds the rows whose group variable is missing: they count everywhere but in the
    conditional metrics. Without a group variable there is that last group alone.
    """

    cells: Counts
    rows: Rows | None = None

    @property
    def groups(self) -> Counts:
        """`cells` of the rows that have a group, shape (groups, 2, 2, 2)."""
        return self.cells[:-1]

    @property
    def table(self) -> Counts:
        """Counts by facet, label and prediction, shape (2, 2, 2)."""
        return np.asarray(self.cells.sum(axis=0))

    @property
    def labels(self) -> Counts:
        """Counts by facet and label, shape (2, label values)."""
        return np.asarray(self.table.sum(axis=2))

    @property
    def predictions(self) -> Counts:
        """Counts by facet and predicted label, shape (2, label values)."""
        return np.asarray(self.table.sum(axis=1))


@dataclass(frozen=True)
class Outcomes:
    """One facet's rows: true and false positives and negatives."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def n(self) -> int:
        return self.tp + self.fp + self.fn + self.tn


def outcomes(contrast: Contrast, facet: int) -> Outcomes:
    """The confusion matrix of the sensitive facet (1) or of the others (0)."""
    (tn, fp), (fn, tp) = contrast.table[facet].tolist()
    return Outcomes(tp, fp, fn, tn)


def count(
    sensitive: Flags,
    label: Flags,
    predicted: Flags | None = None,
    group: pd.Series[Any] | None = None,
    features: pd.DataFrame | None = None,
) -> Contrast:
    """Count n rows once; all metrics but the flip test follow from the result.

    `group` may hold any values; a missing one puts the row outside of every group.
    """
    hat = np.zeros(len(label), dtype=bool) if predicted is None else predicted
    codes, groups = _group_codes(group, len(label))
    key = ((codes * 2 + sensitive) * 2 + label) * 2 + hat
    cells = np.bincount(key, minlength=(groups + 1) * 8).reshape(groups + 1, 2, 2, 2).astype(np.int64)
    rows = None if features is None or predicted is None else Rows(features, sensitive, predicted)
    return Contrast(cells, rows)


def _group_codes(group: pd.Series[Any] | None, n: int) -> tuple[Counts, int]:
    if group is None:
        return np.zeros(n, dtype=np.int64), 0
    codes, values = pd.factorize(group)
    return np.where(codes < 0, len(values), codes).astype(np.int64), len(values)
