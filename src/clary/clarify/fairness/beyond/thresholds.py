"""A threshold for each side after training (Hardt, Price and Srebro 2016), with its effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.beyond.reweighing import effect
from clary.clarify.fairness.contrast import Contrast, Flags, count
from clary.clarify.fairness.metrics import POST_TRAINING, metrics_of
from clary.clarify.fairness.tabulation import Tabulation

FROM = "Hardt, Price and Srebro 2016, Equality of opportunity in supervised learning"

Strategy = Literal["demographic_parity", "equal_opportunity"]
STRATEGIES: tuple[Strategy, ...] = ("demographic_parity", "equal_opportunity")

RATES = 1001
"""The equal rates that are tried for both sides."""

CLOSE = 0.005
"""Sides whose rates differ by no more are equal enough to be chosen for their accuracy."""

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Thresholds:
    """A score threshold for each side (positive above it), and its effect."""

    strategy: Strategy
    facet: float
    others: float
    accuracy_before: float
    accuracy_after: float
    effect: list[dict[str, Any]]

    def in_json(self) -> dict[str, Any]:
        return {
            "strategy": self.strategy,
            "thresholds": {"facet": self.facet, "others": self.others},
            "accuracy": {"before": self.accuracy_before, "after": self.accuracy_after},
            "metrics": self.effect,
        }


@dataclass(frozen=True)
class _Cuts:
    """One side's thresholds, from the highest: the shares that they make positive, and the right rows."""

    at: Scores
    rate: Scores
    recall: Scores
    right: Scores


def group_thresholds(
    scores: Scores, sensitive: Flags, label: Flags, hat: Flags, strategy: Strategy
) -> Thresholds:
    """The thresholds that make a rate of both sides equal at the least loss of accuracy.

    demographic_parity: as large a share is predicted positive on both sides. equal_opportunity: as large a
    share of the positive rows is. `hat` is the prediction so far. Thresholds are fixed numbers, no lotteries,
    so rates are equal as far as the scores' ties allow.
    """
    for side, name in ((sensitive, "The facet"), (~sensitive, "The rest of the rows")):
        if not (label & side).any() or not (~label & side).any():
            raise ClarifyError(f"{name} has not both labels: there is nothing to choose a threshold by.")
    cuts = [_cuts(scores[side], label[side]) for side in (sensitive, ~sensitive)]
    d, a = _best(cuts[0], cuts[1], strategy)
    after = np.where(sensitive, scores > d, scores > a)
    before = count(sensitive, label, hat)
    changed = count(sensitive, label, after)
    metrics = [m for m in metrics_of(POST_TRAINING) if m.name not in ("FT", "CDDPL")]
    return Thresholds(strategy, d, a, _accuracy(before), _accuracy(changed), effect(metrics, before, changed))


def _cuts(scores: Scores, label: Flags) -> _Cuts:
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(label[order])
    last = np.append(ranked[1:] != ranked[:-1], True)  # rows with the same score stand together
    taken, hits = np.arange(1, len(ranked) + 1)[last], hits[last]
    below = np.append(ranked[last][1:], -np.inf)
    misses = taken - hits
    right = (hits + (len(label) - label.sum() - misses)).astype(np.float64)
    if len(taken) < 2:
        raise ClarifyError("All scores of one side are the same: no threshold can tell its rows apart.")
    split = slice(-1)  # the last threshold would make every row positive
    return _Cuts(below[split], (taken / len(label))[split], (hits / label.sum())[split], right[split])


def _best(one: _Cuts, other: _Cuts, strategy: Strategy) -> tuple[float, float]:
    wanted = np.linspace(0, 1, RATES)
    rates = [c.rate if strategy == "demographic_parity" else c.recall for c in (one, other)]
    places = [_nearest(rate, wanted) for rate in rates]
    gap = np.abs(rates[0][places[0]] - rates[1][places[1]])
    right = one.right[places[0]] + other.right[places[1]]
    right[gap > max(CLOSE, gap.min())] = -1
    chosen = int(np.argmax(right))
    return float(one.at[places[0][chosen]]), float(other.at[places[1][chosen]])


def _nearest(ascending: Scores, wanted: Scores) -> NDArray[np.intp]:
    after = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(ascending[before] - wanted) <= np.abs(ascending[after] - wanted)
    return np.where(nearer, before, after)


def _accuracy(contrast: Contrast) -> float:
    (tn, _), (_, tp) = contrast.table.sum(axis=0).tolist()
    return float((tn + tp) / contrast.table.sum())


def thresholds_of(tabulation: Tabulation, scores: Scores) -> dict[str, list[dict[str, Any]]]:
    """For every facet value and strategy: thresholds with their effect, or the reason for none."""
    rows = tabulation.rows
    if rows is None or tabulation.hat is None:
        return {}
    label = rows.where([(tabulation.label_axis, tabulation.positive.flags)])
    hat = rows.where(tabulation.predicted_parts)
    found: dict[str, list[dict[str, Any]]] = {}
    for axis, (name, selections) in enumerate(tabulation.facets.items()):
        found[name] = []
        for chosen in selections:
            sensitive = rows.where([(axis, chosen.flags)])
            tried = [_tried(scores, sensitive, label, hat, strategy) for strategy in STRATEGIES]
            found[name].append({"value_or_threshold": chosen.text, "strategies": tried})
    return found


def _tried(scores: Scores, sensitive: Flags, label: Flags, hat: Flags, strategy: Strategy) -> dict[str, Any]:
    try:
        return group_thresholds(scores, sensitive, label, hat, strategy).in_json()
    except ClarifyError as error:
        return {"strategy": strategy, "error": str(error)}
