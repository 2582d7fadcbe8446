"""The contingency table that every bias metric reads: one, or many replicates of one stacked in front."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """One side of a contrast by label and prediction, shape (..., 2, 2): its outcomes, each shape (...)."""

    cells: Counts

    @cached_property
    def n(self) -> Counts:
        return np.asarray(self.cells.sum(axis=(-2, -1)))

    @property
    def tp(self) -> Counts:
        return self.cells[..., 1, 1]

    @property
    def fp(self) -> Counts:
        return self.cells[..., 0, 1]

    @property
    def fn(self) -> Counts:
        return self.cells[..., 1, 0]

    @property
    def tn(self) -> Counts:
        return self.cells[..., 0, 0]


@dataclass(frozen=True)
class Contrast:
    """The sensitive facet d against all other rows a.

    `cells[..., g, s, y, p]` is the number (or the weight) of the rows of group g with facet s (1 = d), label
    y and prediction p (1 = positive where there are two). Leading axes are replicates of the table: the
    metrics take any number of them. The last group holds the rows whose group variable is missing: they count
    everywhere but in the conditional metrics. Without a group variable there is that last group alone.
    """

    cells: Counts
    flips: Counts | None = None
    """Rows of d that would lose, keep and gain the positive prediction among their neighbours, (..., 3)."""
    why_no_flips: str = "The flip test needs the rows' features, and got none."
    rows: Counts | None = None
    """Where rows have weights: the numbers of rows behind `cells`."""
    squares: Counts | None = None
    """Where rows have weights: the sums of the squared weights behind `cells`."""

    @property
    def groups(self) -> Counts:
        """`cells` of the rows that have a group, shape (..., groups, 2, labels, predictions)."""
        return self.cells[..., :-1, :, :, :]

    @cached_property
    def table(self) -> Counts:
        """By facet, label and prediction, shape (..., 2, labels, predictions)."""
        return np.asarray(self.cells.sum(axis=-4))

    @cached_property
    def labels(self) -> Counts:
        """By facet and label, shape (..., 2, labels)."""
        return np.asarray(self.table.sum(axis=-1))

    @cached_property
    def predictions(self) -> Counts:
        """By facet and predicted label, shape (..., 2, labels)."""
        return np.asarray(self.table.sum(axis=-2))

    @cached_property
    def compares(self) -> tuple[Flags, Flags]:
        """Whether d and a have rows."""
        filled = self.labels.sum(axis=-1) > 0
        return filled[..., 1], filled[..., 0]

    @cached_property
    def a(self) -> Side:
        return Side(self.table[..., 0, :, :])

    @cached_property
    def d(self) -> Side:
        return Side(self.table[..., 1, :, :])

    @property
    def sizes(self) -> Counts:
        """The numbers of rows behind `table`, weights or not."""
        return self.table if self.rows is None else np.asarray(self.rows.sum(axis=-4))


def count(
    sensitive: Flags, label: Flags, predicted: Flags | None = None, group: NDArray[np.intp] | None = None
) -> Contrast:
    """The contrast of rows given by their flags, and by their group's number (-1 where it is missing)."""
    groups = 0 if group is None else int(group.max()) + 1
    last = np.zeros(len(label), np.intp) if group is None else np.where(group < 0, groups, group)
    key = ((last * 2 + sensitive) * 2 + label) * 2 + (0 if predicted is None else predicted)
    cells = np.bincount(key, minlength=(groups + 1) * 8)
    return Contrast(cells.reshape(groups + 1, 2, 2, 2).astype(np.float64))
