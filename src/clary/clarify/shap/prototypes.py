"""K-prototypes: clusters of rows that have numbers and categories.

Huang, "Extensions to the k-means algorithm for clustering large data sets with categorical values", Data
Mining and Knowledge Discovery 1998; first prototypes as in k-means++ (Arthur and Vassilvitskii 2007); the
number of clusters by silhouettes (Kaufman and Rousseeuw, "Finding Groups in Data", 1990).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

MOST_CLUSTERS = 12
"""Clarify looks for an optimal number of clusters between 1 and 12."""
STARTS = 4
MOST_ROUNDS = 100
JUDGED_ROWS = 1000
"""Rows, evenly chosen, on which the number of clusters is judged."""
SUBSTANCE = 0.25
"""Kaufman and Rousseeuw: with mean silhouettes up to here the data has no clusters worth the name."""


@dataclass(frozen=True)
class Points:
    """n rows: standardised numbers (n, p), and codes of categories (n, q) with their number of kinds."""

    numbers: Floats
    codes: Codes
    kinds: tuple[int, ...]
    gamma: float
    """What one different category counts, beside squared distances of numbers."""

    def __len__(self) -> int:
        return len(self.numbers)

    def some(self, rows: NDArray[np.intp]) -> Points:
        return Points(self.numbers[rows], self.codes[rows], self.kinds, self.gamma)


@dataclass(frozen=True)
class _Prototypes:
    """k means (k, p) and modes (k, q)."""

    means: Floats
    modes: Codes


def points(features: pd.DataFrame) -> Points:
    """Numbers standardised, gaps at the median; everything else as categories, a gap being one.

    Huang takes gamma from the mean standard deviation of the numbers, a third to two thirds of it; of
    standardised numbers that is one half. Without numbers any gamma gives the same clusters.
    """
    numbers = features.select_dtypes("number").astype(float).replace([np.inf, -np.inf], np.nan)
    numbers = numbers.fillna(numbers.median()).fillna(0.0)
    numbers = numbers / numbers.abs().max().replace(0.0, 1.0)  # squares of huge numbers would be infinite
    spread = numbers.std(ddof=0).replace(0.0, 1.0)
    words = features.select_dtypes(exclude="number")
    codes = [pd.factorize(words[name].astype(str), use_na_sentinel=False)[0] for name in words.columns]
    stacked = np.stack(codes, axis=1) if codes else np.zeros((len(features), 0))
    kinds = tuple(int(c.max()) + 1 for c in codes)
    return Points(((numbers - numbers.mean()) / spread).to_numpy(), stacked.astype(np.int64), kinds, 0.5)


def clusters(of: Points, number: int, seed: int, starts: int = STARTS) -> Codes:
    """The cluster of each row, by the best of several starts. There may be fewer than `number`."""
    rng = np.random.default_rng(seed)
    found = [_settled(of, _seeded(of, number, rng)) for _ in range(starts)]
    labels, _ = min(found, key=lambda one: one[1])
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def best_number(of: Points, seed: int) -> int:
    """How many clusters, 1 to MOST_CLUSTERS, the rows fall into: the number with the widest silhouettes."""
    chosen = np.linspace(0, len(of) - 1, min(len(of), JUDGED_ROWS)).astype(np.intp)
    judged = of.some(np.unique(chosen))
    between = _between(judged)
    widths = {1: SUBSTANCE}
    for number in range(2, min(MOST_CLUSTERS, len(judged) - 1) + 1):
        labels = clusters(judged, number, seed, starts=2)
        if labels.max() + 1 == number:
            widths[number] = _silhouette(between, labels)
    return max(widths, key=lambda number: (round(widths[number], 9), -number))


def _distances(of: Points, to: _Prototypes) -> Floats:
    """Shape (n, k): squared distances of the numbers, and gamma for each different category."""
    found = (of.numbers**2).sum(axis=1)[:, None] - 2 * of.numbers @ to.means.T + (to.means**2).sum(axis=1)
    found = np.maximum(found, 0.0)
    for column, kinds in enumerate(of.kinds):
        cost = np.full((kinds, len(to.modes)), of.gamma)
        cost[to.modes[:, column], np.arange(len(to.modes))] = 0.0
        found += cost[of.codes[:, column]]
    return np.asarray(found)


def _seeded(of: Points, number: int, rng: np.random.Generator) -> _Prototypes:
    """Rows as first prototypes, each drawn by its distance from those before; as many as differ."""
    chosen = [int(rng.integers(len(of)))]
    nearest = np.full(len(of), np.inf)
    while len(chosen) < number:
        last = _Prototypes(of.numbers[chosen[-1:]], of.codes[chosen[-1:]])
        nearest = np.minimum(nearest, _distances(of, last)[:, 0])
        nearest[nearest < 1e-12] = 0.0
        if not nearest.any():
            break
        chosen.append(int(rng.choice(len(of), p=nearest / nearest.sum())))
    return _Prototypes(of.numbers[chosen], of.codes[chosen])


def _settled(of: Points, first: _Prototypes) -> tuple[Codes, float]:
    """Rows to their nearest prototype, prototypes to the middle of their rows, until nothing moves."""
    prototypes, labels = first, np.full(len(of), -1)
    for _ in range(MOST_ROUNDS):
        distances = _distances(of, prototypes)
        nearest = distances.argmin(axis=1)
        if (nearest == labels).all():
            break
        labels = nearest
        prototypes = _middles(of, labels, prototypes)
    return labels, float(distances[np.arange(len(of)), labels].sum())


def _middles(of: Points, labels: Codes, before: _Prototypes) -> _Prototypes:
    """Means and modes of the clusters; one without rows stays where it was."""
    k = len(before.means)
    sizes = np.bincount(labels, minlength=k)
    means, modes = before.means.copy(), before.modes.copy()
    filled = sizes > 0
    for column in range(of.numbers.shape[1]):
        sums = np.bincount(labels, of.numbers[:, column], k)
        means[filled, column] = sums[filled] / sizes[filled]
    for column, kinds in enumerate(of.kinds):
        counts = np.bincount(labels * kinds + of.codes[:, column], minlength=k * kinds).reshape(k, kinds)
        modes[filled, column] = counts.argmax(axis=1)[filled]
    return _Prototypes(means, modes)


def _between(of: Points) -> Floats:
    """The distance of every two rows, shape (n, n)."""
    plain = Points(of.numbers, of.codes[:, :0], (), of.gamma)
    found = _distances(plain, _Prototypes(of.numbers, of.codes[:, :0]))
    for column in of.codes.T:
        found += of.gamma * (column[:, None] != column[None, :])
    return np.asarray(np.sqrt(found))


def _silhouette(between: Floats, labels: Codes) -> float:
    """The mean over rows of (b - a) / max(a, b): a to the own cluster's others, b to the nearest other's."""
    n, k = len(labels), int(labels.max()) + 1
    sizes = np.bincount(labels, minlength=k)
    sums = between @ np.eye(k)[labels]
    rows = np.arange(n)
    own = sums[rows, labels] / np.maximum(sizes[labels] - 1, 1)
    others = sums / sizes
    others[rows, labels] = np.inf
    nearest = others.min(axis=1)
    widths = (nearest - own) / np.maximum(np.maximum(own, nearest), 1e-300)
    return float(np.where(sizes[labels] > 1, widths, 0.0).mean())
