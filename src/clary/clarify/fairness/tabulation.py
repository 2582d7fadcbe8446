"""All rows of an analysis counted once: the table from which every facet, stage and interval is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.data.columns import Column, Value
from clary.clarify.data.selection import Selection, beyond, choose, equal_to, is_continuous, question
from clary.clarify.errors import ClarifyError, known
from clary.clarify.fairness.contrast import Contrast, Counts, Flags
from clary.clarify.fairness.counting.encode import from_series
from clary.clarify.fairness.counting.table import Gatherer, Table
from clary.clarify.fairness.counting.tally import Weights, summed
from clary.clarify.fairness.flips import flips

Facets = Mapping[str, Sequence[Value] | None]
Parts = Sequence[tuple[int, Flags]]
"""Rows that have, on each of some axes, one of the chosen values."""


@dataclass(frozen=True)
class Target:
    """The label and its positive values (or one threshold), and the predictions where there are some.

    `label` and `predicted` are columns with the rows of the data, or names of columns of the data.
    `predicted` holds labels like `label`'s, or is a boolean array (True = positive).
    """

    label: Column | str
    positive: Sequence[Value]
    predicted: Column | Flags | str | None = None


@dataclass(frozen=True)
class Rows:
    """The rows themselves, for what counting cannot give."""

    codes: Sequence[NDArray[np.integer]]
    places: Sequence[NDArray[np.intp]]
    """Where each code of a column stands on its axis (and, last, -1)."""
    data: pd.DataFrame
    own: frozenset[str]
    """Columns of the data that are no features: label, prediction, weight."""
    label: Column
    predicted: Column | None
    weights: Weights | None

    def features(self, facets: Sequence[str]) -> pd.DataFrame:
        """What the model knows beside the facets."""
        return self.data.drop(columns=[*self.own, *facets])

    def where(self, parts: Parts) -> Flags:
        """The rows that are meant by `parts`."""
        flags = np.ones(len(self.data), dtype=bool)
        for axis, chosen in parts:
            flags &= np.append(chosen, False)[self.places[axis]][self.codes[axis]]
        return flags


@dataclass(frozen=True)
class Tabulation:
    """The counted rows, and which of their values are asked.

    Axes of the table: the facets in order, the group variable (where there is one), the label, and the
    predicted label (where there is one).
    """

    table: Table
    facets: Mapping[str, list[Selection]]
    grouped: bool
    positive: Selection
    hat: Flags | None
    """Which values of the predicted label are positive."""
    rows: Rows | None = None
    why_no_rows: str = Contrast.why_no_flips

    @property
    def label_axis(self) -> int:
        return len(self.facets) + self.grouped

    @property
    def label(self) -> str:
        return self.table.axes[self.label_axis].name

    @property
    def predicted_parts(self) -> Parts:
        """The rows that are predicted positive."""
        return [] if self.hat is None else [(self.label_axis + 1, self.hat)]


def tabulate(
    data: pd.DataFrame,
    facets: Facets,
    target: Target,
    group: Column | str | None = None,
    weights: Column | str | None = None,
    quantities: Collection[str] = (),
) -> Tabulation:
    """Count the rows of a table in memory. ClarifyError names a column or value that is not there."""
    _usable(data)
    columns = [named(data, name, "facet column") for name in facets]
    if group is not None:
        columns.append(named(data, group, "group variable"))
    label = named(data, target.label, "label")
    columns.append(label)
    if target.predicted is not None:
        columns.append(_predicted(data, target.predicted, len(label)))
    asked = [*facets.values(), *([None] if group is not None else []), *([target.positive] * 2)]
    questions = [
        question(str(c.name), v, len(data), quantities) for c, v in zip(columns, asked, strict=False)
    ]
    coded = [from_series(c, q) for c, q in zip(columns, questions, strict=True)]
    gatherer = Gatherer([q.name for q in questions], questions[0].enough)
    weighed = None if weights is None else checked(named(data, weights, "weight column").to_numpy())
    places = gatherer.add([coded], weighed)
    own = frozenset(name for name in (target.label, target.predicted, weights) if isinstance(name, str))
    predicted = None if target.predicted is None else columns[-1]
    rows = Rows([c.codes for c in coded], places, data, own, label, predicted, weighed)
    flagged = target.predicted is not None and not isinstance(target.predicted, str | pd.Series)
    return understood(gatherer.table(), facets, target.positive, group is not None, flagged, rows)


def _usable(data: pd.DataFrame) -> None:
    if not len(data):
        raise ClarifyError("The data has no rows.")
    if not data.columns.is_unique:
        doubled = data.columns[data.columns.duplicated()].tolist()
        raise ClarifyError(f"The data has the column {doubled[0]!r} twice: rename one of them.")


def named(data: pd.DataFrame, column: Column | str, what: str) -> Column:
    """A column of the data by its name; a column given as it is."""
    if not isinstance(column, str):
        if len(column) != len(data):
            raise ClarifyError(f"The {what} has {len(column)} rows, but the data has {len(data)}.")
        return column
    if column not in data.columns:
        raise ClarifyError(f"There is no {what} {column!r}. {known(column, data.columns, 'columns')}")
    return data[column]


def _predicted(data: pd.DataFrame, predicted: Column | Flags | str, rows: int) -> Column:
    column = predicted if isinstance(predicted, str | pd.Series) else pd.Series(predicted, name="predicted")
    if not isinstance(column, str) and len(column) != rows:
        raise ClarifyError(f"There are {len(column)} predictions for {rows} rows.")
    return named(data, column, "predicted label")


LARGEST_WEIGHT = 1e100
"""Sums of larger weights' squares would be infinite."""


def checked(weights: NDArray[np.generic]) -> Weights:
    """Sample weights: one number for each row, none below 0."""
    try:
        numbers = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError):
        raise ClarifyError("The weight column must hold numbers.") from None
    if not np.isfinite(numbers).all() or (numbers < 0).any():
        raise ClarifyError("Every weight must be a number of at least 0: fill or remove the others.")
    if numbers.size and numbers.max() > LARGEST_WEIGHT:
        raise ClarifyError(f"A weight is {numbers.max():g}: only their ratios count, so divide all of them.")
    return numbers


def understood(
    table: Table,
    facets: Facets,
    positive: Sequence[Value],
    grouped: bool,
    flagged: bool = False,
    rows: Rows | None = None,
    why_no_rows: str = Contrast.why_no_flips,
) -> Tabulation:
    """A table together with the values that are asked of it. Flagged predictions are positive where True."""
    if table.cells.weights is not None and not table.cells.weights.any():
        raise ClarifyError("All weights are 0: nothing is left to be measured.")
    chosen = {name: choose(table.axes[i], values, "facet") for i, (name, values) in enumerate(facets.items())}
    label = len(facets) + grouped
    (selection,) = choose(table.axes[label], positive, "label")
    hat = None
    if len(table.axes) > label + 1:
        predicted = table.axes[label + 1]
        hat = np.equal(predicted.values, True) if flagged else _hat(table, label, positive)
    return Tabulation(table, chosen, grouped, selection, hat, rows, why_no_rows)


def _hat(table: Table, label: int, positive: Sequence[Value]) -> Flags:
    """Which predictions are positive, judged as the label is. No positive prediction at all is allowed."""
    labels, predicted = table.axes[label], table.axes[label + 1]
    if is_continuous(labels, positive):
        if predicted.missing:
            raise ClarifyError("The label is a quantity, so every prediction must be a number too.")
        return beyond(predicted, float(positive[0]))
    flags = equal_to(predicted, positive)
    if not flags.any() and not (equal_to(labels, list(predicted.values))).any():
        seen = ", ".join(repr(v) for v in predicted.values[:5])
        raise ClarifyError(
            f"The predictions ({seen}) are none of the label's values. {known('', labels.values, 'labels')} "
            "Set predictor.label_headers or probability_threshold, or let the model answer with labels."
        )
    return flags


def contrast_of(tabulation: Tabulation, parts: Parts, positive: Flags, hat: Flags | None) -> Contrast:
    """The rows of `parts` against all others, by label and prediction (positive where flagged)."""
    table = tabulation.table
    label = table.where(tabulation.label_axis, positive)
    predicted = np.zeros(len(label), bool) if hat is None else table.where(tabulation.label_axis + 1, hat)
    return crossed(tabulation, parts, label, predicted, (2, 2))


def crossed(
    tabulation: Tabulation,
    parts: Parts,
    label: NDArray[Any],
    predicted: NDArray[Any],
    shape: tuple[int, int],
) -> Contrast:
    """The rows of `parts` against all others, by the label and the prediction that each cell has."""
    cells, groups = tabulation.table.cells, 0
    sensitive = _cells(tabulation.table, parts)
    group = np.zeros(len(sensitive), np.intp)
    if tabulation.grouped:
        groups = len(tabulation.table.axes[len(tabulation.facets)].values)
        group = cells.codes[:, len(tabulation.facets)] % (groups + 1)  # -1, the missing group, is the last
    key = np.ravel_multi_index((group, sensitive.astype(np.intp), label, predicted), (groups + 1, 2, *shape))

    size = (groups + 1) * 2 * shape[0] * shape[1]

    def counted(values: Counts) -> Counts:
        return summed(key, values, size).reshape(groups + 1, 2, *shape)

    if cells.weights is None or cells.squares is None:
        return Contrast(counted(cells.rows))
    return Contrast(counted(cells.weights), rows=counted(cells.rows), squares=counted(cells.squares))


def _cells(table: Table, parts: Parts) -> Flags:
    flags = np.ones(len(table.cells.rows), dtype=bool)
    for axis, chosen in parts:
        flags &= table.where(axis, chosen)
    return flags


def flips_of(tabulation: Tabulation, parts: Parts) -> Counts:
    """The flip test's counts for the rows of `parts`. ValueError says why there are none."""
    rows = tabulation.rows
    if rows is None:
        raise ValueError(tabulation.why_no_rows)
    facets = [list(tabulation.facets)[axis] for axis, _ in parts]
    return flips(
        rows.features(facets), rows.where(parts), rows.where(tabulation.predicted_parts), rows.weights
    )
