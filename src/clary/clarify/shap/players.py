"""Which columns are known or unknown together: one feature each, groups, or only the features asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from clary.clarify.config.analysis import Shap
from clary.clarify.errors import ClarifyError, known
from clary.clarify.shap.game import Player

REST = "all other features"


def players_of(features: pd.DataFrame, settings: Shap) -> list[Player]:
    """One player for each feature or group of `settings.feature_groups`.

    With `features_to_explain` the others become one player that is not shown, so that the values still add
    up to the score and cost no more evaluations than the features that were asked about.
    """
    found = _grouped(features, settings.feature_groups)
    if settings.features_to_explain is None:
        return found
    wanted = {_name(key, found, features) for key in settings.features_to_explain}
    asked = [player for player in found if player.name in wanted]
    rest = [name for player in found if player.name not in wanted for name in player.columns]
    return [*asked, Player(REST, rest, shown=False)] if rest else asked


def _grouped(features: pd.DataFrame, groups: Mapping[str, Sequence[str]]) -> list[Player]:
    owner: dict[str, str] = {}
    for group, names in groups.items():
        for name in names:
            if name not in features.columns:
                raise ClarifyError(
                    f"methods.shap.feature_groups: {group!r} names {name!r}. "
                    f"{known(name, features.columns, 'features')}"
                )
            if name in owner:
                raise ClarifyError(
                    f"methods.shap.feature_groups: {name!r} is in {owner[name]!r} and {group!r}."
                )
            owner[name] = group
    found: dict[str, list[str]] = {}
    for name in map(str, features.columns):
        found.setdefault(owner.get(name, name), []).append(name)
    return [Player(name, columns) for name, columns in found.items()]


def _name(key: str | int, players: Sequence[Player], features: pd.DataFrame) -> str:
    names = [player.name for player in players]
    if isinstance(key, int):
        if not 0 <= key < features.shape[1]:
            raise ClarifyError(
                f"methods.shap.features_to_explain has {key}, but there are {features.shape[1]} features."
            )
        key = str(features.columns[key])
        return next(player.name for player in players if key in player.columns)
    if key not in names:
        raise ClarifyError(f"methods.shap.features_to_explain has {key!r}. {known(key, names, 'features')}")
    return key


def shown(features: pd.DataFrame, players: Sequence[Player]) -> pd.DataFrame:
    """The rows with one column for each player that is shown."""
    visible = [player for player in players if player.shown]
    return pd.DataFrame(
        {player.name: _together(features[list(player.columns)], player) for player in visible}
    )


def _together(columns: pd.DataFrame, player: Player) -> pd.Series[Any]:
    """A group as one text: the column that is 1 where they are indicators, else all values."""
    if columns.shape[1] == 1 and columns.columns[0] == player.name:
        return columns.iloc[:, 0]
    if columns.isin([0, 1]).all(axis=None) and (columns.sum(axis=1) <= 1).all():
        names = [str(name).removeprefix(player.name).lstrip("_=: ") or str(name) for name in columns]
        hot = columns.to_numpy(dtype=float)
        chosen = [
            names[i] if any_hot else "none"
            for i, any_hot in zip(hot.argmax(axis=1), hot.max(axis=1) > 0, strict=True)
        ]
        return pd.Series(chosen, index=columns.index)
    return columns.astype(str).agg(", ".join, axis=1)
