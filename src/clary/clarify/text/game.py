"""The model as a game of text: some units of a row's texts known, the others replaced.

Rows have different numbers of players, so that these are counted through: row r has the players from
`starts[r, 0]` to `starts[r, -1]`, feature f of it those from `starts[r, f]` to `starts[r, f + 1]`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.shap.coalitions import Flags
from clary.clarify.shap.game import Player, column_values
from clary.clarify.text.units import Unit

Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Part:
    """Rows for the model, column by column; not yet a table, which is dear to make."""

    columns: dict[str, Any]
    rows: int


class TextGame:
    """Rows of text and other features, and the rows of a baseline."""

    def __init__(
        self,
        features: pd.DataFrame,
        background: pd.DataFrame,
        units: Mapping[str, Sequence[Sequence[Unit]]],
        others: Sequence[Player],
    ) -> None:
        self.features, self.background, self.units = features, background, units
        self.names = _in_order(features, units, others)
        self._place = {name: f for f, name in enumerate(self.names)}
        self._owner = {column: player.name for player in others for column in player.columns}
        self._columns = {c: column_values(features[c], background[c]) for c in self._owner}
        self._texts = {name: features[name].tolist() for name in units}
        counts = [[len(of) for of in units[n]] if n in units else [1] * len(features) for n in self.names]
        ends = np.cumsum(np.array(counts, dtype=np.int64).T.reshape(len(features), -1), axis=1)
        self._local = np.hstack([np.zeros((len(features), 1), dtype=np.int64), ends])
        before = np.concatenate([[0], np.cumsum(self._local[:, -1])])
        self.starts = before[:-1, None] + self._local
        self.players = int(before[-1])

    def size(self, row: int) -> int:
        """About how many characters a row has: what it costs to ask about it once."""
        return 8 * len(self._columns) + sum(len(texts[row]) for texts in self._texts.values()) + 1

    def varying(self, row: int, background: int) -> NDArray[np.int64]:
        """The row's players that the baseline's row would change."""
        found = np.zeros(int(self._local[row, -1]), dtype=bool)
        for name, of_rows in self.units.items():
            known, unknown = self._pieces(of_rows[row], name, background)
            found[self._slots(row, name)] = known != unknown
        for column, (rows, against, _) in self._columns.items():
            mine, theirs = rows[row], against[background]
            if mine != theirs and not (pd.isna(mine) and pd.isna(theirs)):
                found[self._slots(row, self._owner[column])] = True
        return np.flatnonzero(found)

    def mix(self, row: int, background: int, varying: NDArray[np.int64], coalitions: Flags) -> Part:
        """A row for each coalition (s, p) of its p varying players; the others are as they are."""
        s = len(coalitions)
        known = np.ones((s, int(self._local[row, -1])), dtype=bool)
        known[:, varying] = coalitions
        columns: dict[str, Any] = {}
        for name in self.features.columns:
            if name in self.units:
                columns[name] = self._mixed_text(row, name, background, known[:, self._slots(row, name)])
            else:
                (rows, against, _), slot = self._columns[name], self._slots(row, self._owner[name])
                mixed = np.where(known[:, slot.start], rows[row], against[background])
                columns[name] = mixed.astype(rows.dtype)
        return Part(columns, s)

    def table(self, parts: Sequence[Part]) -> pd.DataFrame:
        """The rows of several parts as the model gets them."""
        return pd.DataFrame({name: self._column(name, parts) for name in self.features.columns}, copy=False)

    def _column(self, name: str, parts: Sequence[Part]) -> Any:
        if name in self.units:
            return pd.Series([text for part in parts for text in part.columns[name]], dtype=object)
        kinds, mixed = self._columns[name][2], np.concatenate([part.columns[name] for part in parts])
        return mixed if kinds is None else kinds.array.take(mixed)

    def _slots(self, row: int, name: str) -> slice:
        f = self._place[name]
        return slice(int(self._local[row, f]), int(self._local[row, f + 1]))

    def _mixed_text(self, row: int, name: str, background: int, known: Flags) -> list[str]:
        units = self.units[name][row]
        if not units:
            return [self._texts[name][row]] * len(known)
        mine, theirs = self._pieces(units, name, background)
        return ["".join(line) for line in np.where(known, mine, theirs).tolist()]

    def _pieces(self, units: Sequence[Unit], name: str, background: int) -> tuple[Texts, Texts]:
        """What stands for each unit where it is known, and where it is not."""
        by = self.background[name].iloc[background]
        mine, theirs = np.empty(len(units), dtype=object), np.empty(len(units), dtype=object)
        mine[:] = [unit.piece for unit in units]
        theirs[:] = [unit.replaced(by) for unit in units]
        return mine, theirs


def _in_order(features: pd.DataFrame, units: Mapping[str, Any], others: Sequence[Player]) -> list[str]:
    """The names of the text columns and of the other players, in the order of the columns."""
    owner = {column: player.name for player in others for column in player.columns}
    return list(dict.fromkeys(name if name in units else owner[name] for name in features.columns))
