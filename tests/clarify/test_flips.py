"""The flip test's neighbours: scikit-learn's votes, the ones among equally near rows included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from clary.clarify.fairness.flips import flips, votes


def sklearns(known: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], asked: np.ndarray[Any, Any]) -> Any:
    """As smclarify asks it."""
    return KNeighborsClassifier(5 if len(known) > 9 else 1).fit(known, labels).predict(asked)


KINDS = {
    "few places": lambda rng, n, k: rng.integers(0, 3, (n, k)).astype(float),
    "a grid": lambda rng, n, k: rng.integers(0, 12, (n, k)).astype(float),
    "decimals": lambda rng, n, k: rng.integers(0, 9, (n, k)) / 10,
    "anywhere": lambda rng, n, k: rng.normal(size=(n, k)),
    "scales apart": lambda rng, n, k: rng.integers(0, 6, (n, k)) * 10.0 ** rng.integers(-3, 6, k),
}


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    rows=st.integers(2, 400),
    columns=st.integers(1, 18),
    seed=st.integers(0, 2**32 - 1),
    follows=st.booleans(),
)
def test_votes_are_scikit_learns_ties_included(
    kind: str, rows: int, columns: int, seed: int, follows: bool
) -> None:
    rng = np.random.default_rng(seed)
    points = KINDS[kind](rng, rows, columns)
    sensitive = rng.random(rows) < 0.4
    sensitive[:2] = (True, False)
    labels = points[:, 0] > np.median(points[:, 0]) if follows else rng.random(rows) < 0.5
    known, asked = points[~sensitive], points[sensitive]
    assert (votes(known, labels[~sensitive], asked) == sklearns(known, labels[~sensitive], asked)).all()


def test_thousands_of_rows_at_the_same_place() -> None:
    rng = np.random.default_rng(2)
    points = np.repeat(rng.integers(0, 4, (30, 3)).astype(float), 200, axis=0)
    sensitive, labels = rng.random(6000) < 0.3, rng.random(6000) < 0.5
    known, asked = points[~sensitive], points[sensitive]
    assert (votes(known, labels[~sensitive], asked) == sklearns(known, labels[~sensitive], asked)).all()


def test_flips_are_counted_by_what_neighbours_would_change() -> None:
    features = pd.DataFrame({"x": [0.0, 10.0, 20.0, 0.1, 10.1, 20.1]})
    sensitive = np.array([True, True, True, False, False, False])
    predicted = np.array([True, False, True, False, True, True])
    assert flips(features, sensitive, predicted).tolist() == [1, 1, 1]
    weights = np.array([2.0, 3.0, 5.0, 1.0, 1.0, 1.0])
    assert flips(features, sensitive, predicted, weights).tolist() == [2, 5, 3]


@pytest.mark.parametrize(
    ("features", "says"),
    [
        (pd.DataFrame({"x": ["a", "b"]}), "must be a number. These are not: x"),
        (pd.DataFrame({"x": [1.0, None]}), "missing values"),
        (pd.DataFrame(index=range(2)), "at least one feature"),
    ],
)
def test_features_without_distances_are_told(features: pd.DataFrame, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        flips(features, np.array([True, False]), np.array([True, False]))
