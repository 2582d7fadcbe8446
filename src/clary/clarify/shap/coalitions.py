"""Which coalitions Kernel SHAP asks the model about, and how their scores become Shapley values.

Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", NeurIPS 2017, for the kernel;
Covert and Lee, "Improving KernelSHAP", AISTATS 2021, for paired sampling. Knows no model and no data.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Design:
    """s coalitions of m players and the weighted least squares that they give.

    The second half of the coalitions are the complements of the first. With scores y (less the empty
    coalition's) the Shapley values are `solve @ y + share * gain`, where gain is the score of all players:
    they always add up to it. With all 2^m - 2 coalitions the values are exact.
    """

    coalitions: Flags
    solve: Floats
    """Shape (m, s)."""
    share: Floats
    """Shape (m,), adds up to 1."""
    drawn: Floats
    """Shape (s / 2,): how much of its size's sampling error a pair tells of; 0 where the size is complete."""
    unseen: bool
    """Whether there are sizes of which no coalition was drawn, so that the error cannot be told."""

    @property
    def exact(self) -> bool:
        return not self.unseen and not self.drawn.any()


MOST = 10**15
"""More coalitions than anybody draws."""


def smallest(players: int, whole: int = 1) -> int:
    """The fewest coalitions that determine the values: each player alone and each left out.

    With `whole` sizes those of up to as many players, and their complements.
    """
    return 2 * sum(_pairs(players, size) for size in range(1, min(whole, players // 2) + 1))


@dataclass(frozen=True)
class Sample:
    """Coalitions, the second half the complements of the first, and their weights in least squares."""

    coalitions: Flags
    weights: Floats
    drawn: Floats
    unseen: bool
    """As of a Design."""


def design(players: int, samples: int, rng: np.random.Generator) -> Design:
    """About `samples` coalitions (at least `smallest`, at most all). Players must be at least 2."""
    chosen = sample(players, samples, rng)
    solve, share = _least_squares(chosen.coalitions, chosen.weights)
    return Design(chosen.coalitions, solve, share, chosen.drawn, chosen.unseen)


def sample(players: int, samples: int, rng: np.random.Generator, whole: int = 1) -> Sample:
    """About `samples` coalitions in pairs of complements, the `whole` smallest sizes among them at least.

    Sizes are taken by their share of the Shapley kernel; a size that fits is taken whole, of the others
    coalitions are drawn without replacement.
    """
    sizes = np.arange(1, players // 2 + 1)
    pairs = np.array([_pairs(players, int(s)) for s in sizes], dtype=float)
    mass = np.array([_mass(players, int(s)) for s in sizes])
    taken = _allocation(pairs, mass, max(samples, smallest(players, whole)) // 2, whole)
    halves, weights, drawn = [], [], []
    for size, available, wanted, weight in zip(sizes, pairs, taken, mass, strict=True):
        if not wanted:
            continue
        complete = wanted >= available
        halves.append(_all(players, int(size)) if complete else _drawn(players, int(size), wanted, rng))
        weights.append(np.full(wanted, weight / (2 * wanted)))
        # Two or more of a size tell its variance; (1 - n/N) is what is left of it without replacement.
        spread = 0.0 if complete else (1 - wanted / available) * wanted / max(wanted - 1, 1)
        drawn.append(np.full(wanted, spread))
    half, weight = np.concatenate(halves), np.concatenate(weights)
    return Sample(
        np.concatenate([half, ~half]),
        np.concatenate([weight, weight]),
        np.concatenate(drawn),
        bool((taken == 0).any()),
    )


def _pairs(players: int, size: int) -> int:
    """Pairs of complements of a size; of thousands of players more than a float can say, so MOST at most."""
    number = math.comb(players, size)
    return min(number // 2 if 2 * size == players else number, MOST)


def _mass(players: int, size: int) -> float:
    """The Shapley kernel's weight of all coalitions of a size and of its complement's."""
    one = (players - 1) / (size * (players - size))
    return one if 2 * size == players else 2 * one


def _allocation(pairs: Floats, mass: Floats, budget: int, first: int) -> NDArray[np.int64]:
    """Pairs to take of each size: whole sizes while they fit into their share, the rest by mass."""
    taken = np.zeros(len(pairs), dtype=np.int64)
    taken[:first] = pairs[:first].astype(np.int64)
    whole = np.zeros(len(pairs), dtype=bool)
    whole[:first] = True
    while True:
        left, open_mass = budget - int(taken.sum()), np.where(whole, 0.0, mass)
        if left <= 0 or not open_mass.any():
            return taken
        share = left * open_mass / open_mass.sum()
        fits = ~whole & (share >= pairs)
        if not fits.any():
            break
        taken[fits], whole[fits] = pairs[fits].astype(np.int64), True
    part = np.floor(share).astype(np.int64)
    most = np.argsort(part - share, kind="stable")[: left - int(part.sum())]
    part[most] += 1
    taken += part
    return taken


def _all(players: int, size: int) -> Flags:
    chosen = list(itertools.combinations(range(players), size))
    if 2 * size == players:
        chosen = chosen[: len(chosen) // 2]  # the other half are their complements
    found = np.zeros((len(chosen), players), dtype=bool)
    found[np.arange(len(chosen))[:, None], np.array(chosen)] = True
    return found


def _drawn(players: int, size: int, number: int, rng: np.random.Generator) -> Flags:
    """`number` different coalitions of a size, none the complement of another."""
    found = np.zeros((0, players), dtype=bool)
    while len(found) < number:
        keys = rng.random((2 * (number - len(found)) + 8, players))
        ranks = keys.argsort(axis=1).argsort(axis=1)
        fresh = ranks < size
        if 2 * size == players:
            fresh = np.where(fresh[:, :1], fresh, ~fresh)
        together = np.concatenate([found, fresh])
        _, first = np.unique(_keys(together), return_index=True)
        found = together[np.sort(first)]
    return found[:number]


def _keys(coalitions: Flags) -> NDArray[Any]:
    """One value for each coalition, equal where they are."""
    bits = np.packbits(coalitions, axis=1, bitorder="little")
    if bits.shape[1] > 8:
        return np.ascontiguousarray(bits).view(f"V{bits.shape[1]}")[:, 0]
    words = np.zeros((len(bits), 8), dtype=np.uint8)
    words[:, : bits.shape[1]] = bits
    return words.view(np.uint64)[:, 0]


def _least_squares(coalitions: Flags, weights: Floats) -> tuple[Floats, Floats]:
    """Weighted least squares under the constraint that the values add up to the gain."""
    z = coalitions.astype(float)
    inverse = np.linalg.inv(z.T @ (weights[:, None] * z))
    free = inverse @ (z * weights[:, None]).T
    share = inverse.sum(axis=1) / inverse.sum()
    return free - np.outer(share, free.sum(axis=0)), share


def attribute(design: Design, scores: Floats, gain: Floats) -> tuple[Floats, Floats]:
    """Shapley values and their variances, each (r, m, k), of r games with k outputs.

    `scores` (r, s, k) and `gain` (r, k) are less the empty coalition's score. The variance is that of the
    drawn coalitions (a sandwich estimate over pairs); 0 for an exact design, NaN where it cannot be told.
    """
    values = np.matmul(design.solve, scores) + design.share[:, None] * gain[:, None, :]
    if design.exact:
        return values, np.zeros_like(values)
    if design.unseen:
        return values, np.full_like(values, np.nan)
    half = len(design.drawn)
    chosen = np.flatnonzero(design.drawn)
    z = design.coalitions.astype(float)
    one, two = (scores[:, at] - np.matmul(z[at], values) for at in (chosen, chosen + half))
    first, second = design.solve[:, chosen], design.solve[:, chosen + half]
    weight = design.drawn[chosen]
    variance = np.matmul(weight * first**2, one**2)
    variance += np.matmul(2 * weight * first * second, one * two)
    variance += np.matmul(weight * second**2, two**2)
    return values, np.maximum(variance, 0.0)
