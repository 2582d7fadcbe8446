"""A record as the pieces that are known or not: a feature each, and of a text each of its units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.clarify.data.columns import canonical
from clary.clarify.shap.coalitions import Flags
from clary.clarify.text.units import Unit
from clary.containers.explainer.records import Writer
from clary.containers.explainer.texts import TextSettings


@dataclass(frozen=True)
class Record:
    """`cells` as the model reads them; feature f has the pieces from `starts[f]` to `starts[f + 1]`."""

    features: Sequence[Any]
    cells: Sequence[str]
    units: Sequence[Sequence[Unit] | None]
    """None for a feature that is no text."""
    starts: Sequence[int]

    @property
    def pieces(self) -> int:
        return self.starts[-1]


@dataclass(frozen=True)
class Mixture:
    """A record against one record of the baseline: each piece where it is known, and where it is not."""

    record: Record
    known: NDArray[np.object_]
    unknown: NDArray[np.object_]
    varying: NDArray[np.int64]
    """The pieces that the baseline would change."""


def record_of(features: Sequence[Any], writer: Writer, text: TextSettings | None) -> Record:
    units = [None if text is None else text.units(f, value) for f, value in enumerate(features)]
    counts = [1 if of is None else len(of) for of in units]
    starts = [0, *np.cumsum(counts).tolist()]
    return Record(features, [writer.cell(value) for value in features], units, starts)


def mixture(record: Record, baseline: Sequence[Any], writer: Writer) -> Mixture:
    """A text's unit is replaced by the baseline's text."""
    known: list[str] = []
    unknown: list[str] = []
    varying: list[bool] = []
    for mine, cell, units, other in zip(record.features, record.cells, record.units, baseline, strict=True):
        if units is None:
            known.append(cell)
            unknown.append(writer.cell(other))
            varying.append(mine != other and canonical(mine) != canonical(other))
        else:
            replaced = [unit.replaced("" if other is None else str(other)) for unit in units]
            known += [unit.piece for unit in units]
            unknown += replaced
            varying += [unit.piece != by for unit, by in zip(units, replaced, strict=True)]
    return Mixture(
        record, np.array(known, dtype=object), np.array(unknown, dtype=object), np.flatnonzero(varying)
    )


def lines(mixed: Mixture, coalitions: Flags, writer: Writer) -> list[str]:
    """What to ask the model: first with no piece known, then each coalition of the varying ones."""
    known = np.ones((len(coalitions) + 1, mixed.record.pieces), dtype=bool)
    known[0, mixed.varying] = False
    known[1:, mixed.varying] = coalitions
    rows: list[list[str]] = np.where(known, mixed.known, mixed.unknown).tolist()
    if all(units is None for units in mixed.record.units):
        return [writer.line(row) for row in rows]
    return [writer.line(_cells(row, mixed.record, writer)) for row in rows]


def _cells(row: Sequence[str], record: Record, writer: Writer) -> list[str]:
    found = []
    for units, cell, start, end in zip(
        record.units, record.cells, record.starts, record.starts[1:], strict=False
    ):
        if units is None:
            found.append(row[start])
        else:
            found.append(writer.cell("".join(row[start:end])) if units else cell)
    return found
