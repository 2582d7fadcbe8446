"""The model as a game: some features of a row known, the others as in a row of the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.data.predictions import Predict
from clary.clarify.data.scoring import Scorer
from clary.clarify.shap.coalitions import Flags, Floats


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
class _Block:
    """Features of one type as a matrix that np.where can mix: numbers, or codes of `kinds`."""

    names: list[str]
    players: NDArray[np.int64]
    """Shape (c,): the player that each of the c features belongs to."""
    rows: NDArray[Any]
    """Shape (c, n)."""
    background: NDArray[Any]
    """Shape (c, b)."""
    kinds: Sequence[pd.Series[Any] | None]

    def values(self, mixed: NDArray[Any]) -> dict[str, Any]:
        """The features by name, `mixed` being of shape (c, any)."""
        found = zip(self.names, self.kinds, mixed, strict=True)
        return {name: line if kinds is None else kinds.array.take(line) for name, kinds, line in found}


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
        self.players = players
        self._scores = Scorer(predict, use_logit)
        owner = {name: i for i, player in enumerate(players) for name in player.columns}
        self._blocks = _blocks(features, background, owner)

    @property
    def evaluations(self) -> int:
        """How many rows the model was asked."""
        return self._scores.evaluations

    @property
    def parallel(self) -> int:
        """How many calls the model bears at a time: one, unless it says otherwise by an attribute."""
        return self._scores.parallel

    def of_rows(self) -> Floats:
        """The model's scores of the rows themselves, shape (n, k)."""
        return self._scores(self.features)

    def of_background(self) -> Floats:
        """And of the baseline's rows."""
        return self._scores(self._frame([block.background for block in self._blocks]))

    def varying(self, rows: NDArray[np.int64], background: int) -> Flags:
        """Which players of a row differ from the baseline's row, shape (rows, players)."""
        found = np.zeros((len(rows), len(self.players)), dtype=bool)
        for block in self._blocks:
            mine, theirs = block.rows[:, rows], block.background[:, background, None]
            differ = (mine != theirs) & ~(pd.isna(mine) & pd.isna(theirs))
            np.logical_or.at(found.T, block.players, differ)
        return found

    def ask(self, questions: Sequence[Question]) -> list[Floats]:
        """The scores, (rows, s, k) for each question, by one call of the model."""
        if not questions:
            return []
        shapes = [(len(q.rows), len(q.coalitions)) for q in questions]
        ends = np.cumsum([0, *(rows * coalitions for rows, coalitions in shapes)])
        mixtures = [np.empty((len(b.names), int(ends[-1])), dtype=b.rows.dtype) for b in self._blocks]
        for question, shape, start, end in zip(questions, shapes, ends, ends[1:], strict=False):
            known = _known(question, len(self.players))
            for block, mixed in zip(self._blocks, mixtures, strict=True):
                mine = block.rows[:, question.rows, None]
                theirs = block.background[:, question.background, None, None]
                part = np.where(known[block.players], mine, theirs)
                mixed[:, start:end] = part.reshape(len(part), shape[0] * shape[1])
        found = np.split(self._scores(self._frame(mixtures)), ends[1:-1])
        return [part.reshape(*shape, part.shape[1]) for part, shape in zip(found, shapes, strict=True)]

    def _frame(self, mixtures: Sequence[NDArray[Any]]) -> pd.DataFrame:
        """The features in their order; where they are all numbers of one type, a view of their matrix."""
        if len(self._blocks) == 1 and all(kinds is None for kinds in self._blocks[0].kinds):
            return pd.DataFrame(mixtures[0].T, columns=self._blocks[0].names, copy=False)
        columns: dict[str, Any] = {}
        for block, mixed in zip(self._blocks, mixtures, strict=True):
            columns |= block.values(mixed)
        return pd.DataFrame({name: columns[name] for name in self.features.columns}, copy=False)


def _known(question: Question, players: int) -> Flags:
    """In which of the mixtures each player's own value stands, shape (players, rows, s)."""
    p = question.coalitions.shape[1]
    # One more line for those that do not vary: whichever value is taken, it is the same.
    lines = np.concatenate([question.coalitions.T, np.ones((1, len(question.coalitions)), dtype=bool)])
    line = np.full((len(question.rows), players), p)
    np.put_along_axis(line, question.varying, np.arange(p)[None, :], axis=1)
    return np.asarray(lines[line.T])


def _blocks(features: pd.DataFrame, background: pd.DataFrame, owner: Mapping[str, int]) -> list[_Block]:
    """The features by their type."""
    groups: dict[np.dtype[Any], list[tuple[str, ColumnValues]]] = {}
    for name in features.columns:
        column = column_values(features[name], background[name])
        groups.setdefault(column[0].dtype, []).append((name, column))
    found = []
    for members in groups.values():
        names = [name for name, _ in members]
        rows, theirs, kinds = zip(*(column for _, column in members), strict=True)
        players = np.array([owner[name] for name in names], dtype=np.int64)
        found.append(_Block(names, players, np.stack(rows), np.stack(theirs), kinds))
    return found


ColumnValues = tuple[NDArray[Any], NDArray[Any], "pd.Series[Any] | None"]


def column_values(feature: pd.Series[Any], background: pd.Series[Any]) -> ColumnValues:
    """A feature's values of the rows and of the baseline, and what they are codes of."""
    if isinstance(feature.dtype, np.dtype) and feature.dtype.kind in "iufb":
        mine, theirs = feature.to_numpy(), background.to_numpy(dtype=float)
        kind = mine.dtype
        if kind.kind in "iu" and not _whole(theirs):
            kind = np.dtype(float)  # a baseline between two integers, a mean say, stays what it is
        return mine.astype(kind), theirs.astype(kind), None
    together = pd.concat([feature, background], ignore_index=True).astype(feature.dtype)
    codes, kinds = pd.factorize(together, use_na_sentinel=False)
    n = len(feature)
    return codes[:n], codes[n:], pd.Series(kinds, dtype=feature.dtype)


def _whole(values: Floats) -> bool:
    return bool(np.isfinite(values).all() and (values == np.floor(values)).all())
