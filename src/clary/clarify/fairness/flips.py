"""The neighbours of the flip test: scikit-learn's answer, ties included, mostly without scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.fairness.contrast import Counts, Flags

Points = NDArray[np.float64]

NEIGHBOURS, FEW = 5, 9
"""smclarify asks 5 neighbours, or 1 where at most 9 rows are outside of the facet."""

MOST_DIMENSIONS = 15
"""Above it scikit-learn compares every pair instead of building a tree."""

MORE_PLACES = 32
"""How many places are asked where ties go on beyond the first ones."""

SAMPLE = 4096
"""Points that show which coordinate is the widest."""

LEAF = 24
"""Places in a leaf of the tree."""

SAME = 1e-9
"""Distances that differ by less than this part may be a tie: libraries sum squares in different orders."""


LARGEST = 1e150
"""Of larger numbers the squared distances are infinite."""


def flips(
    features: pd.DataFrame, sensitive: Flags, predicted: Flags, weights: Counts | None = None
) -> Counts:
    """How many rows of the facet would lose, keep and gain the positive prediction among their neighbours.

    A neighbourhood votes by majority, as `KNeighborsClassifier` does. ValueError says why there are none.
    """
    points = _points(features)
    d, a = np.flatnonzero(sensitive), np.flatnonzero(~sensitive)
    judged = votes(points[a], predicted[a], points[d])
    change = judged.astype(np.int8) - predicted[d]
    counted = np.bincount(change + 1, None if weights is None else weights[d], minlength=3)
    return counted.astype(np.float64)


def _points(features: pd.DataFrame) -> Points:
    others = features.select_dtypes(exclude=["number", "bool"]).columns
    if len(others):
        raise ValueError(
            "The flip test measures distances, so every feature must be a number. These are not: "
            f"{', '.join(map(str, others))}. Encode them, or leave FT out of the methods."
        )
    if features.shape[1] == 0:
        raise ValueError("The flip test needs at least one feature beside the facet and the label.")
    points = np.ascontiguousarray(features.to_numpy(dtype=np.float64, na_value=np.nan))
    if not np.isfinite(points).all():
        raise ValueError("The flip test measures distances, so no feature may have missing values.")
    if len(points) and np.abs(points).max() > LARGEST:
        widest = str(features.columns[int(np.abs(points).max(axis=0).argmax())])
        raise ValueError(f"The flip test measures distances, and those along {widest!r} are beyond numbers.")
    return points + 0.0  # no negative zero: equal points have equal bits


def votes(known: Points, labels: Flags, asked: Points) -> Flags:
    """What the majority of the nearest `known` points says of each `asked` one."""
    k = NEIGHBOURS if len(known) > FEW else 1
    if known.shape[1] > MOST_DIMENSIONS or k >= len(known) // 2:
        return _by_pairs(known, labels, asked, k)
    unique, back = _unique(asked)
    found, certain = _by_place(known, labels, unique, k)
    if not certain.all():
        found[~certain] = _by_tree(known, labels, unique[~certain], k)
    return found[back]


def _by_pairs(known: Points, labels: Flags, asked: Points, k: int) -> Flags:
    from sklearn.neighbors import KNeighborsClassifier

    return np.asarray(KNeighborsClassifier(n_neighbors=k).fit(known, labels).predict(asked), dtype=bool)


def _by_tree(known: Points, labels: Flags, asked: Points, k: int) -> Flags:
    """scikit-learn's own tree, as its classifier builds it: it takes what it meets of equally near rows."""
    from sklearn.neighbors import KDTree

    near = KDTree(known, leaf_size=30).query(asked, k, return_distance=False)
    return np.asarray(2 * labels[near].sum(axis=1) > k)


def _unique(points: Points) -> tuple[Points, NDArray[np.intp]]:
    """The different points along their widest coordinate, and which of them each point is.

    In this order neighbours are asked one after the other, and lie together in memory.
    """
    widest = points[:, np.argmax(points[:: len(points) // SAMPLE + 1].var(axis=0))]
    order = np.argsort(widest)
    if (np.diff(widest[order]) > 0).all():
        back = np.empty(len(points), np.intp)
        back[order] = np.arange(len(points))
        return points[order], back
    keys = _keys(points)[order]
    places, seen = pd.factorize(keys)
    first = np.empty(len(seen), np.intp)
    first[places[::-1]] = order[::-1]
    back = np.empty(len(points), np.intp)
    back[order] = places
    unique = points[first]
    if not np.array_equal(unique[back], points):  # two points share a key
        unique, back = np.unique(points, axis=0, return_inverse=True)
    return unique, back


def _keys(points: Points) -> NDArray[np.uint64]:
    """A number for each point, the same for the same point and hardly ever for another."""
    spread = np.random.default_rng(0).integers(1, 2**63, points.shape[1], dtype=np.uint64) | np.uint64(1)
    bits = points.view(np.uint64)
    return np.asarray(((bits ^ (bits >> np.uint64(32))) * spread).sum(axis=1, dtype=np.uint64))


def _by_place(known: Points, labels: Flags, asked: Points, k: int) -> tuple[Flags, Flags]:
    """Votes, and where they are certain: where no choice among equally near points could change them."""
    from scipy.spatial import cKDTree

    places, back = _unique(known)
    rows = np.bincount(back)
    positive = np.bincount(back, labels).astype(np.intp)
    tree = cKDTree(places, LEAF)
    found, certain = np.zeros(len(asked), bool), np.zeros(len(asked), bool)
    left = np.arange(len(asked))
    for places_asked in (k + 1, MORE_PLACES):
        if len(places) >= places_asked and len(left):
            distance, near = tree.query(asked[left], k=places_asked)
            found[left], certain[left], spilled = _majority(distance, rows[near], positive[near], k)
            left = left[spilled]
    return found, certain


def _majority(
    distance: Points, rows: NDArray[np.intp], positive: NDArray[np.intp], k: int
) -> tuple[Flags, Flags, Flags]:
    """The vote of the k nearest rows at each place, whether it is certain, and whether ties go on beyond."""
    alone = rows[:, :k].max(axis=1) == 1
    plain = alone & (distance[:, k] > distance[:, k - 1] * (1 + SAME))
    vote, certain, spilled = 2 * positive[:, :k].sum(axis=1) > k, plain.copy(), np.zeros(len(rows), bool)
    if not plain.all():
        left = ~plain
        vote[left], certain[left], spilled[left] = _tied(distance[left], rows[left], positive[left], k)
    return vote, certain, spilled


def _tied(
    distance: Points, rows: NDArray[np.intp], positive: NDArray[np.intp], k: int
) -> tuple[Flags, Flags, Flags]:
    """The same where several rows share a place, or are as near as the last one that votes."""
    reached = np.argmax(np.cumsum(rows, axis=1) >= k, axis=1)
    radius = distance[np.arange(len(distance)), reached][:, None]
    inside = distance < radius * (1 - SAME)
    tied = ~inside & (distance <= radius * (1 + SAME))
    wanted = k - (rows * inside).sum(axis=1)
    surely = (positive * inside).sum(axis=1)
    ties, for_it = (rows * tied).sum(axis=1), (positive * tied).sum(axis=1)
    least = surely + np.maximum(0, wanted - (ties - for_it))
    most = surely + np.minimum(wanted, for_it)
    spilled = tied[:, -1]
    return 2 * least > k, ~spilled & ((2 * least > k) == (2 * most > k)), spilled
