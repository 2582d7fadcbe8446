"""The baseline by k-prototypes: clusters of numbers and words, and how many of them."""

from __future__ import annotations

import itertools
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clary import clarify
from clary.clarify.shap.baseline import clustered
from clary.clarify.shap.prototypes import best_number, clusters, points

RNG = np.random.default_rng(8)


def groups(number: int, rows: int = 80, apart: float = 6.0, stray: float = 0.1) -> tuple[pd.DataFrame, Any]:
    """Groups that differ in a number and in words."""
    label = np.repeat(np.arange(number), rows)
    words = np.where(RNG.random(len(label)) >= stray, label, (label + 1) % number)
    frame = pd.DataFrame(
        {
            "x": apart * label + RNG.normal(size=len(label)),
            "word": [f"w{w}" for w in words],
            "other": RNG.choice(["a", "b"], len(label)),
            "flag": label % 2 == 0,
        }
    )
    order = RNG.permutation(len(frame))
    return frame.iloc[order].reset_index(drop=True), label[order]


def cost(frame: pd.DataFrame, labels: Any) -> float:
    """Huang's cost, written down plainly: squared distances to means, gamma for each word that is no mode."""
    found = 0.0
    for k in np.unique(labels):
        rows = frame[labels == k]
        for name in frame:
            if pd.api.types.is_bool_dtype(frame[name]) or not pd.api.types.is_numeric_dtype(frame[name]):
                found += 0.5 * (rows[name] != rows[name].mode()[0]).sum()
            else:
                standard = rows[name] / frame[name].std(ddof=0)
                found += ((standard - standard.mean()) ** 2).sum()
    return float(found)


def test_groups_of_numbers_and_words_are_found() -> None:
    frame, label = groups(3)
    found = clusters(points(frame), 3, seed=0)
    pairs = pd.crosstab(found, label).to_numpy()
    assert ((pairs > 0).sum(axis=0) == 1).all() and ((pairs > 0).sum(axis=1) == 1).all()


def test_words_alone_are_k_modes() -> None:
    frame = pd.DataFrame(list(itertools.product("ab", "cd", "ef")) * 5, columns=list("xyz")).assign(w="same")
    found = clusters(points(frame), 2, seed=1)
    assert cost(frame, found) == 0.5 * (len(frame) - 0) * (0.5 + 0.5)  # one word splits, two are even


def test_no_row_moved_to_another_cluster_lowers_the_cost() -> None:
    frame, _ = groups(4, rows=20, apart=1.5)
    found = clusters(points(frame), 4, seed=2)
    least = cost(frame, found)
    for row in range(0, len(frame), 7):
        for other in range(4):
            moved = found.copy()
            moved[row] = other
            assert cost(frame, moved) >= least - 0.3, "k-means' local optimum, but for the moved means"


def test_the_same_seed_gives_the_same_clusters() -> None:
    frame, _ = groups(5, apart=2.0)
    one, two = (clusters(points(frame), 5, seed=3) for _ in range(2))
    assert (one == two).all()
    assert clustered(frame, 5, None).equals(clustered(frame, 5, None))


@pytest.mark.parametrize("number", [2, 3, 5])
def test_the_number_of_clusters_is_found(number: int) -> None:
    frame, _ = groups(number, stray=0.0)
    assert best_number(points(frame[["x", "word"]]), 0) == number
    assert len(clarify.explain(frame[["x"]], lambda f: f["x"].to_numpy()).baseline) == number


def test_rows_without_clusters_have_one_typical_row() -> None:
    frame = pd.DataFrame(RNG.normal(size=(500, 6)), columns=list("abcdef"))
    (row,) = clustered(frame, None, 0).to_dict("records")
    assert all(row[name] in set(frame[name]) for name in frame)
    assert row["a"] == pytest.approx(frame["a"].median(), abs=0.05)


def test_modes_stand_for_words_and_every_value_occurs() -> None:
    frame, _ = groups(3)
    rows = clustered(frame, 3, 0).sort_values("x")
    assert list(rows["word"]) == ["w0", "w1", "w2"]
    assert all(set(rows[name]) <= set(frame[name]) for name in frame)
    assert rows.dtypes.equals(frame.dtypes)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"x": [1.0], "w": ["a"]}),
        pd.DataFrame({"x": [1.0] * 30, "w": ["a"] * 30}),
        pd.DataFrame({"x": [1.0, np.nan, 3.0] * 9, "w": ["a", None, "b"] * 9}),
        pd.DataFrame({"x": [np.inf, 1.0, -np.inf] * 9}),
        pd.DataFrame({"w": [f"{i}" for i in range(50)]}),
        pd.DataFrame({"d": pd.date_range("2020", periods=20), "b": [True, False] * 10}),
        pd.DataFrame({"x": [np.nan] * 5, "y": range(5)}),
    ],
)
@pytest.mark.parametrize("number", [None, 1, 3, 50])
def test_degenerate_rows_have_a_baseline(frame: pd.DataFrame, number: int | None) -> None:
    found = clustered(frame, number, 0)
    assert 1 <= len(found) <= min(len(frame), number or 12)
    assert list(found.columns) == list(frame.columns)


def test_a_census_of_rows_takes_seconds() -> None:
    n = 30_162
    frame = pd.DataFrame({f"n{i}": RNG.normal(size=n) for i in range(6)})
    for i in range(8):
        frame[f"w{i}"] = RNG.integers(0, 2 + 5 * i, n).astype(str)
    start = time.process_time()
    assert len(clustered(frame, 10, 0)) == 10
    assert time.process_time() - start < 30
