"""One table of all counted rows, gathered from any number of batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.clarify.fairness.counting.codes import (
    ABOVE,
    BELOW,
    EQUAL,
    SIDES,
    Axis,
    Coded,
    Kind,
    Numbers,
    either,
)
from clary.clarify.fairness.counting.tally import Cells, Weights, numbered, summed, tally


@dataclass(frozen=True)
class Table:
    """Rows counted by every combination of the axes' values that occurs.

    A cell's code on an axis is the position of its value in `Axis.values`, or -1 for a missing value.
    """

    axes: tuple[Axis, ...]
    cells: Cells

    def where(self, axis: int, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The cells whose value on an axis is one of the chosen ones."""
        return np.append(chosen, False)[self.cells.codes[:, axis]]

    @property
    def rows(self) -> int:
        return int(self.cells.rows.sum())


class Gatherer:
    """Counts batches of rows. All batches have the same columns in the same order.

    More than `enough` different numbers of a column need not be told apart.
    """

    def __init__(self, names: Sequence[str], enough: int) -> None:
        self.names = names
        self.enough = enough
        self.places: list[dict[Any, int]] = [{} for _ in names]
        self.kinds: list[set[Kind]] = [set() for _ in names]
        self.pivots: list[float | None] = [None for _ in names]
        self.numbers: list[Numbers | None] = [None for _ in names]
        self.cells: list[Cells] = []

    def add(self, parts: Iterable[Sequence[Coded]], weights: Weights | None = None) -> list[NDArray[np.intp]]:
        """Count some batches whose codes mean the same.

        Returns for each column where its values (and, last, -1) are among the values of all batches.
        """
        rest = iter(parts)
        first = next(rest)
        cells = tally(self._watched(chain([first], rest)), first, weights)
        maps = [self._place(i, column, cells.codes[:, i]) for i, column in enumerate(first)]
        codes = np.stack([m[cells.codes[:, i]] for i, m in enumerate(maps)], axis=1)
        self.cells.append(Cells(codes, cells.rows, cells.weights, cells.squares))
        return maps

    def _watched(self, parts: Iterable[Sequence[Coded]]) -> Iterator[Sequence[Coded]]:
        for columns in parts:
            for i, column in enumerate(columns):
                self.numbers[i] = either(self.numbers[i], column.numbers, self.enough)
            yield columns

    def _place(self, i: int, column: Coded, codes: NDArray[np.intp]) -> NDArray[np.intp]:
        """Where a column's values are among the values of all batches; values are added as they appear."""
        if len(column.values):
            self.kinds[i].add(column.kind)
        if column.pivot is not None:
            self.pivots[i] = column.pivot
            present = list(range(len(column.values)))
        else:
            present = np.flatnonzero(np.bincount(codes + 1)[1:]).tolist()
        places = self.places[i]
        new = [code for code in present if column.values[code] not in places]
        for code in _in_order(column.codes, new) if len(new) > 1 and column.pivot is None else new:
            places[column.values[code]] = len(places)
        found = np.full(len(column.values) + 1, -1)
        for code in present:
            found[code] = places[column.values[code]]
        return found

    def table(self) -> Table:
        """All that was counted."""
        codes = np.concatenate([c.codes for c in self.cells])
        values = []
        for i, (places, pivot) in enumerate(zip(self.places, self.pivots, strict=True)):
            axis_values, order = _ordered(tuple(places), pivot)
            codes[:, i] = order[codes[:, i]]
            values.append(axis_values)
        cells = _merged(codes, self.cells)
        return Table(tuple(self._axis(i, v, cells) for i, v in enumerate(values)), cells)

    def _axis(self, i: int, values: tuple[Any, ...], cells: Cells) -> Axis:
        numbers = self.numbers[i]
        if numbers is not None:  # batches of small numbers were counted one by one
            single = np.array([v for v in self.places[i] if not isinstance(v, str)])
            numbers = either(numbers, _range(single), self.enough) if len(single) else numbers
        counts = summed(cells.codes[:, i] + 1, cells.rows, len(values) + 1)
        return Axis(
            self.names[i], values, _kind(self.kinds[i]), self.pivots[i], numbers, counts[1:], float(counts[0])
        )


def _in_order(codes: NDArray[Any], new: list[int]) -> list[int]:
    """New codes by their first appearance: most are found in the first rows."""
    looked = 1 << 7
    while True:
        looked *= 8
        found, where = np.unique(codes[:looked], return_index=True)
        first = dict(zip(found.tolist(), where.tolist(), strict=True))
        if looked >= len(codes) or all(code in first for code in new):
            return sorted(new, key=lambda code: first.get(code, len(codes) + code))


def _ordered(values: tuple[Any, ...], pivot: float | None) -> tuple[tuple[Any, ...], NDArray[np.intp]]:
    """The values of an axis, and where each of the gathered ones is among them (and, last, -1).

    Numbers that some batches counted one by one become sides where other batches knew only sides.
    """
    if pivot is None:
        return values, np.append(np.arange(len(values)), -1)
    return SIDES, np.array([*(_side(value, pivot) for value in values), -1])


def _side(value: Any, pivot: float) -> int:
    if isinstance(value, str):
        return SIDES.index(value)
    return EQUAL if value == pivot else ABOVE if value > pivot else BELOW


def _kind(kinds: set[Kind]) -> Kind:
    if kinds == {"integer", "quantity"}:
        return "quantity"  # integers with gaps are floats to pandas, and so to smclarify
    return next(iter(kinds)) if len(kinds) == 1 else "text"


def _range(numbers: NDArray[Any]) -> Numbers:
    return Numbers(numbers.min().item(), numbers.max().item(), numbers)


def _merged(codes: NDArray[np.intp], batches: list[Cells]) -> Cells:
    """The same combination of several batches as one cell."""
    if len(batches) == 1:
        only = batches[0]
        return Cells(codes, only.rows, only.weights, only.squares)
    combined, first = numbered(list(codes.T), [int(column.max()) + 1 for column in codes.T])
    sums: list[list[Any]] = [[c.rows for c in batches]]
    if batches[0].weights is not None:
        sums += [[c.weights for c in batches], [c.squares for c in batches]]
    return Cells(codes[first], *(summed(combined, np.concatenate(s)) for s in sums))
