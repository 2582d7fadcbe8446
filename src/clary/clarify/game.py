"""The model as a game: some features of a row known, the others as in a row of the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.coalitions import Flags, Floats
from clary.clarify.errors import ClarifyError
from clary.clarify.predictions import Predict, scores

PROBABILITY_EDGE = 1e-9
"""With use_logit, probabilities are kept this far from 0 and 1, whose logits are infinite."""


@dataclass(frozen=True)
class Player:
    """What is known or unknown as one: a feature, or several columns that belong together."""

    name: str
    columns: Sequence[str]
    shown: bool = True
    """False for the features together that nobody asked about."""


@dataclass(frozen=True)
class Question:
    """Coalitions (s, p) of the p players that vary, asked of some rows against one row of the baseline."""

    rows: NDArray[np.int64]
    background: int
    coalitions: Flags
    varying: NDArray[np.int64]
    """Shape (rows, p): which players vary, for each row in order."""


@dataclass(frozen=True)
class _Column:
    """A feature's values as an array that np.where can mix: numbers, or codes of `kinds`."""

    name: str
    player: int
    rows: NDArray[Any]
    background: NDArray[Any]
    kinds: pd.Series[Any] | None

    def values(self, mixed: NDArray[Any]) -> Any:
        return mixed if self.kinds is None else self.kinds.array.take(mixed)


class Game:
    """A model, n rows and a baseline; asked in batches."""

    def __init__(
        self,
        features: pd.DataFrame,
        background: pd.DataFrame,
        predict: Predict,
        players: Sequence[Player],
        use_logit: bool = False,
    ) -> None:
        self.features, self.background = features, background
        self.players, self.evaluations = players, 0
        self.outputs = 1
        self._predict, self._use_logit = predict, use_logit
        owner = {name: i for i, player in enumerate(players) for name in player.columns}
        self._columns = [_column(features[name], background[name], owner[name]) for name in features.columns]

    def of_rows(self) -> Floats:
        """The model's scores of the rows themselves, shape (n, k)."""
        return self._scores(self.features)

    def of_background(self) -> Floats:
        """And of the baseline's rows."""
        return self._scores(
            pd.DataFrame({column.name: column.values(column.background) for column in self._columns})
        )

    def varying(self, rows: NDArray[np.int64], background: int) -> Flags:
        """Which players of a row differ from the baseline's row, shape (rows, players)."""
        found = np.zeros((len(rows), len(self.players)), dtype=bool)
        for column in self._columns:
            mine, theirs = column.rows[rows], column.background[background]
            both_missing = pd.isna(mine) & pd.isna(theirs)
            found[:, column.player] |= (mine != theirs) & ~both_missing
        return found

    def ask(self, questions: Sequence[Question]) -> list[Floats]:
        """The scores, (rows, s, k) for each question, by one call of the model."""
        shapes = [(len(q.rows), len(q.coalitions)) for q in questions]
        ends = np.cumsum([0, *(rows * coalitions for rows, coalitions in shapes)])
        frame, arrays = self._empty(int(ends[-1]))
        for question, start, end in zip(questions, ends, ends[1:], strict=False):
            known = _known(question, len(self.players))
            for column, array in zip(self._columns, arrays, strict=True):
                mine, theirs = column.rows[question.rows, None], column.background[question.background]
                array[start:end] = np.where(known(column.player), mine, theirs).ravel()
        if frame is None:
            mixed = zip(self._columns, arrays, strict=True)
            frame = pd.DataFrame({column.name: column.values(array) for column, array in mixed}, copy=False)
        found = np.split(self._scores(frame), ends[1:-1])
        return [part.reshape(*shape, self.outputs) for part, shape in zip(found, shapes, strict=True)]

    def _empty(self, length: int) -> tuple[pd.DataFrame | None, list[NDArray[Any]]]:
        """An array for each column; where they are alike, lines of one matrix that a frame stands on."""
        kinds = {column.rows.dtype for column in self._columns}
        if len(kinds) > 1 or any(column.kinds is not None for column in self._columns):
            return None, [np.empty(length, dtype=column.rows.dtype) for column in self._columns]
        matrix = np.empty((len(self._columns), length), dtype=kinds.pop())
        names = [column.name for column in self._columns]
        return pd.DataFrame(matrix.T, columns=names, copy=False), list(matrix)

    def _scores(self, frame: pd.DataFrame) -> Floats:
        if frame.empty:
            return np.zeros((0, self.outputs))
        self.evaluations += len(frame)
        found = scores(self._predict, frame)
        self.outputs = found.shape[1]
        if not self._use_logit:
            return found
        if len(found) and (found.min() < 0 or found.max() > 1):
            raise ClarifyError(
                "methods.shap.use_logit needs probabilities, but the model's scores leave 0 to 1."
            )
        inside = np.clip(found, PROBABILITY_EDGE, 1 - PROBABILITY_EDGE)
        return np.asarray(np.log(inside / (1 - inside)))


def _known(question: Question, players: int) -> Any:
    """For a player: in which of the (rows, s) mixtures its own value stands."""
    p = question.coalitions.shape[1]
    # One more line for those that do not vary: whichever value is taken, it is the same.
    lines = np.concatenate([question.coalitions.T, np.ones((1, len(question.coalitions)), dtype=bool)])
    line = np.full((len(question.rows), players), p)
    np.put_along_axis(line, question.varying, np.arange(p)[None, :], axis=1)
    return lambda player: lines[line[:, player]]


def _column(feature: pd.Series[Any], background: pd.Series[Any], player: int) -> _Column:
    name = str(feature.name)
    if isinstance(feature.dtype, np.dtype) and feature.dtype.kind in "iufb":
        mine, theirs = feature.to_numpy(), background.to_numpy(dtype=float)
        kind = mine.dtype
        if kind.kind in "iu" and not _whole(theirs):
            kind = np.dtype(float)  # a baseline between two integers, a mean say, stays what it is
        return _Column(name, player, mine.astype(kind), theirs.astype(kind), None)
    together = pd.concat([feature, background], ignore_index=True).astype(feature.dtype)
    codes, kinds = pd.factorize(together, use_na_sentinel=False)
    n = len(feature)
    return _Column(name, player, codes[:n], codes[n:], pd.Series(kinds, dtype=feature.dtype))


def _whole(values: Floats) -> bool:
    return bool(np.isfinite(values).all() and (values == np.floor(values)).all())
