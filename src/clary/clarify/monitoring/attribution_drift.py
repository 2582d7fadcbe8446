"""Attribution drift: NDCG between the features' ranking at the baseline and now, as AWS documents it.

Ties in the ranking of now share the mean of their places' gains, as in scikit-learn's `ndcg_score`, which
AWS's documentation names: the order of the columns does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from math import log2

THRESHOLD = 0.90
"""Below it there is drift: Model Monitor's threshold."""


@dataclass(frozen=True)
class FeatureDrift:
    """One feature's global SHAP value and rank (from 1), then and now; None where it is not there."""

    name: str
    then: float | None
    now: float | None
    rank_then: int | None
    rank_now: int | None


@dataclass(frozen=True)
class AttributionDrift:
    """The ranking of one model output."""

    label: str
    ndcg: float
    features: list[FeatureDrift]
    """In the order of the baseline's ranking; the ones that it does not have at the end."""

    @property
    def violates(self) -> bool:
        return self.ndcg < THRESHOLD

    @property
    def missing(self) -> list[str]:
        """Features of the baseline that are not there now: they count as last."""
        return [feature.name for feature in self.features if feature.now is None]

    @property
    def new(self) -> list[str]:
        """Features that the baseline has not: they take places, and gain nothing."""
        return [feature.name for feature in self.features if feature.then is None]

    def in_json(self) -> dict[str, object]:
        return {
            "label": self.label,
            "metric_name": "shap",
            "ndcg": self.ndcg,
            "threshold": THRESHOLD,
            "missing_features": self.missing,
            "new_features": self.new,
        }


def ndcg(then: Mapping[str, float], now: Mapping[str, float]) -> float | None:
    """DCG / ideal DCG of the ranking of `now`, where a feature gains its attribution in `then`.

    Values count by their size: medians may be negative. None where `then` has no attribution at all.
    """
    names = [*then, *(name for name in now if name not in then)]
    gain = {name: abs(then.get(name, 0.0)) for name in names}
    size = {name: abs(now.get(name, 0.0)) for name in names}
    ideal = sum(g / log2(i + 2) for i, g in enumerate(sorted(gain.values(), reverse=True)))
    return None if ideal == 0 else min(1.0, _discounted(gain, size) / ideal)


def _discounted(gain: Mapping[str, float], size: Mapping[str, float]) -> float:
    """The gains at their places by size, largest first."""
    total, place = 0.0, 0
    for _, tied in groupby(sorted(size, key=lambda name: -size[name]), key=lambda name: size[name]):
        group = list(tied)
        discount = sum(1 / log2(place + i + 2) for i in range(len(group)))
        total += discount * sum(gain[name] for name in group) / len(group)
        place += len(group)
    return total


def attribution_drift(
    label: str, then: Mapping[str, float], now: Mapping[str, float]
) -> AttributionDrift | None:
    """The drift of one output; None where the baseline has no ranking to drift from."""
    found = ndcg(then, now)
    if found is None:
        return None
    ranks_then, ranks_now = _ranks(then), _ranks(now)
    names = [*sorted(then, key=ranks_then.__getitem__), *(name for name in ranks_now if name not in then)]
    features = [
        FeatureDrift(name, then.get(name), now.get(name), ranks_then.get(name), ranks_now.get(name))
        for name in names
    ]
    return AttributionDrift(label, found, features)


def _ranks(values: Mapping[str, float]) -> dict[str, int]:
    """Ranks from 1 by size, ties by name: a key that does not depend on the order of the columns."""
    order = sorted(values, key=lambda name: (-abs(values[name]), name))
    return {name: rank for rank, name in enumerate(order, 1)}
