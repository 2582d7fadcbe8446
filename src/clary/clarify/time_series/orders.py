"""Which orders of the players are allowed, and how a stage of an order is shared among its players.

Frye, Rowat and Feige, "Asymmetric Shapley Values", NeurIPS 2020: only orders that respect what comes first
have weight. Here an order is made of stages, one a time step. The players of a stage become known in every
order among themselves, after all players of the earlier stages. So a stage is a game of its own, and its
Shapley values are exact with 2^m coalitions of its m players.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from clary.clarify.time_series.panel import Floats
from clary.clarify.time_series.players import STATIC, Flags, Indices, Players


@dataclass(frozen=True)
class Stage:
    """Groups of players that become known after those that are known `before`."""

    before: Flags
    groups: Flags
    """Shape (groups, players)."""
    rows: Indices
    """Shape (groups,): the player at which a group's value stands."""


@dataclass(frozen=True)
class Sharing:
    """Coalitions of m groups to ask about, and what each group gets of their scores."""

    coalitions: Flags
    """Shape (k, m)."""
    weights: Floats | None = None
    """Shape (m, k): the Shapley value, where every coalition is asked."""
    joined: Indices | None = None
    """Shape (pairs, 2, m), where orders are drawn: the coalition in which each group has just joined; the one
    before it in the list lacks that group only."""


def timewise(players: Players, varying: Flags, backwards: bool) -> list[Stage]:
    """One group a time step; the static covariates, and what does not vary, are known from the start."""
    steps = np.unique(players.step[players.step != STATIC])
    known = (players.step == STATIC) | ~varying
    stages = []
    for step in steps[::-1] if backwards else steps:
        group = (players.step == step) & varying
        if group.any():
            stages.append(Stage(known, group[None], np.flatnonzero(players.step == step)[:1]))
            known = known | group
    return stages or [_nothing(known)]


def fine_grained(players: Players, varying: Flags) -> list[Stage]:
    """Each player alone: the static covariates before all steps, then step after step."""
    known = ~varying
    stages = []
    for step in np.unique(players.step):
        members = np.flatnonzero((players.step == step) & varying)
        if len(members):
            groups = np.zeros((len(members), len(known)), dtype=bool)
            groups[np.arange(len(members)), members] = True
            stages.append(Stage(known, groups, members))
            known = known | groups.any(axis=0)
    return stages or [_nothing(known)]


def _nothing(known: Flags) -> Stage:
    """Of a series that is its baseline."""
    return Stage(known, np.zeros((0, len(known)), dtype=bool), np.zeros(0, dtype=int))


def sharing(groups: int, orders: int | None, rng: np.random.Generator) -> Sharing:
    """All coalitions where they are no more than `orders` orders ask about; else opposite pairs of orders."""
    if orders is None or 2**groups - 2 <= orders * (groups - 1):
        return every_coalition(groups)
    return drawn(groups, -(-orders // 2), rng)


@cache
def every_coalition(groups: int) -> Sharing:
    """The Shapley value itself: each coalition by the share of orders in which it comes first."""
    coalitions = np.array(list(itertools.product([False, True], repeat=groups)), dtype=bool)
    sizes = coalitions.sum(axis=1)
    joined = [1 / (groups * math.comb(groups - 1, s - 1)) if s else 0.0 for s in sizes]
    without = [-1 / (groups * math.comb(groups - 1, s)) if s < groups else 0.0 for s in sizes]
    return Sharing(coalitions, weights=np.where(coalitions.T, joined, without))


def drawn(groups: int, pairs: int, rng: np.random.Generator) -> Sharing:
    """Random orders, each with its opposite, which evens out what a group gains from standing early."""
    forward = np.array([rng.permutation(groups) for _ in range(pairs)])
    orders = np.stack([forward, forward[:, ::-1]], axis=1)
    places = np.argsort(orders, axis=2)
    sizes = np.arange(groups + 1)
    coalitions = places[..., None, :] < sizes[:, None]
    starts = (groups + 1) * np.arange(2 * pairs).reshape(pairs, 2, 1)
    return Sharing(coalitions.reshape(-1, groups), joined=starts + places + 1)


def masks(stage: Stage, plan: Sharing) -> Flags:
    """Which players are known in each coalition of the stage, shape (k, players)."""
    return np.asarray(stage.before | (plan.coalitions @ stage.groups))


def share(plan: Sharing, scores: Floats) -> tuple[Floats, Floats]:
    """Values and their variances, each (m, K), from the scores (k, K) of the coalitions.

    The variance is 0 where every coalition was asked, and NaN where one pair of orders cannot tell it.
    """
    if plan.weights is not None:
        values = plan.weights @ scores
        return values, np.zeros_like(values)
    pairs = (scores[plan.joined] - scores[np.asarray(plan.joined) - 1]).mean(axis=1)
    values = pairs.mean(axis=0)
    if len(pairs) == 1:
        return values, np.full_like(values, np.nan)
    return values, pairs.var(axis=0, ddof=1) / len(pairs)
