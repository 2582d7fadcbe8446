"""Interactions of two features against the closed form of Faith-Shap, over every coalition."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clary import clarify
from clary.clarify import ClarifyError, Interactions, Shap
from clary.clarify.config.analysis import parse

Floats = np.ndarray[Any, np.dtype[np.float64]]
RNG = np.random.default_rng(8)
M = 5
NAMES = [f"f{i}" for i in range(M)]
ROWS = pd.DataFrame(RNG.normal(1, 1, (6, M)), columns=NAMES)
BASES = RNG.normal(0, 1, (3, M))


def model(rows: pd.DataFrame) -> Floats:
    """Two outputs with products of two, three and four features."""
    a, b, c, d, e = rows.to_numpy(dtype=float).T
    return np.stack([2 * a + a * b - b * c * d + np.sin(e * a), a * b * c * e - d**2 + c * d], axis=1)


def faith(row: Floats, base: Floats, f: Any = model) -> Floats:
    """Theorem 19 of Tsai, Yeh and Ravikumar for order 2: from the game's Moebius transform."""
    m = len(row)
    sets = [frozenset(s) for size in range(m + 1) for s in itertools.combinations(range(m), size)]
    mixed = [[row[i] if i in s else base[i] for i in range(m)] for s in sets]
    scores = dict(zip(sets, f(pd.DataFrame(mixed, columns=[f"f{i}" for i in range(m)])), strict=True))
    alone: dict[frozenset[int], Floats] = {}
    for s in sets:
        alone[s] = scores[s] - sum((alone[t] for t in sets if t < s), np.zeros_like(scores[s]))
    found = np.zeros((m, m, len(scores[sets[0]])))
    for s in sets:
        if len(s) in (1, 2):
            size, sign = len(s), (-1) ** (2 - len(s))
            more = sum(
                math.comb(len(t) - 1, 2) / math.comb(len(t) + 1, 2 + size) * alone[t]
                for t in sets
                if s < t and len(t) > 2
            )
            value = alone[s] + sign * size / (2 + size) * math.comb(2, size) * more
            i, j = min(s), max(s)
            found[i, j] = found[j, i] = value
    return found


def test_the_closed_form_is_that_of_shapiq() -> None:
    """shapiq 1.4.1's ExactComputer, FSII of order 2, of this game."""

    def game(rows: pd.DataFrame) -> Floats:
        a, b, c, d = rows.to_numpy(dtype=float).T
        return (a + 2 * b + 3 * c + 4 * d + 5 * a * b + 7 * b * c * d)[:, None]

    found = faith(np.ones(4), np.zeros(4), game)[:, :, 0]
    assert found.diagonal() == pytest.approx([1.0, 5 / 6, 11 / 6, 17 / 6])
    assert found[np.triu_indices(4, 1)] == pytest.approx([5.0, 0.0, 0.0, 3.5, 3.5, 3.5])


@pytest.mark.parametrize("bases", [1, 3])
def test_all_coalitions_give_the_index_itself(bases: int) -> None:
    found = clarify.interactions(ROWS, model, Shap(baseline=BASES[:bases].tolist()))
    rows = ROWS.to_numpy()
    expected = [np.mean([faith(row, base) for base in BASES[:bases]], axis=0) for row in rows]
    assert found.values == pytest.approx(np.array(expected))
    assert found.errors.max() == 0
    assert found.efficiency_gap < 1e-9


@pytest.mark.parametrize("players", [1, 2, 3, 4])
def test_few_features(players: int) -> None:
    rows = ROWS[NAMES[:players]]

    def product(table: pd.DataFrame) -> Floats:
        return np.asarray(table.prod(axis=1), dtype=float)[:, None]

    found = clarify.interactions(rows, product, Shap(baseline=[[0.5] * players]))
    expected = [faith(row, np.full(players, 0.5), product) for row in rows.to_numpy()]
    assert found.values == pytest.approx(np.array(expected))


def test_without_interactions_the_terms_are_shapley_values() -> None:
    def additive(rows: pd.DataFrame) -> Floats:
        return np.asarray(np.sin(rows).sum(axis=1), dtype=float)

    settings = Shap(baseline=BASES.tolist())
    found, shap = clarify.interactions(ROWS, additive, settings), clarify.explain(ROWS, additive, settings)
    off = found.values * (1 - np.eye(M))[:, :, None]
    assert np.abs(off).max() < 1e-9
    assert np.einsum("niik->nik", found.values) == pytest.approx(shap.values)


WIDE = pd.DataFrame(RNG.normal(1, 0.5, (2, 12)), columns=[f"f{i}" for i in range(12)])


def rough(rows: pd.DataFrame) -> Floats:
    x = rows.to_numpy(dtype=float)
    return np.asarray(np.sin(x.sum(axis=1)) + x[:, 0] * x[:, 1] * x[:, 2] + x[:, 3] * x[:, 4])


def test_drawn_coalitions_are_right_on_average_and_say_how_sure_they_are() -> None:
    base = [[0.0] * 12]
    exact = clarify.interactions(
        WIDE, rough, Shap(baseline=base, interactions=Interactions(num_samples=4096))
    )
    assert exact.errors.max() == 0
    drawn = [
        clarify.interactions(
            WIDE, rough, Shap(baseline=base, seed=seed, interactions=Interactions(num_samples=700))
        )
        for seed in range(40)
    ]
    off = np.array([found.values for found in drawn]) - exact.values
    errors = np.array([found.errors for found in drawn])
    assert max(found.efficiency_gap for found in drawn) < 1e-9
    assert np.abs(off.mean(axis=0)).max() < 4 * off.std(axis=0).max() / np.sqrt(40)
    ratio = np.sqrt((errors**2).mean(axis=0)) / off.std(axis=0)
    assert np.median(ratio) == pytest.approx(1, abs=0.25)


def test_groups_text_and_equal_values() -> None:
    rows = pd.DataFrame(
        {"age": [30, 40, 50], "job": ["cook", "nurse", "cook"], "a": [1, 0, 0], "b": [0, 1, 0]}
    )

    def pay(table: pd.DataFrame) -> Floats:
        nurse = (table["job"] == "nurse").to_numpy(dtype=float)
        return np.asarray(table["age"] * (1 + nurse) + 5 * table["a"], dtype=float)

    found = clarify.interactions(
        rows, pay, Shap(baseline=[[30, "cook", 0, 0]], feature_groups={"place": ["a", "b"]})
    )
    assert found.features == ["age", "job", "place"]
    assert found.values[1, 0, 1, 0] == pytest.approx(10.0), "ten years more, paid twice"
    assert found.values[0].ravel() == pytest.approx([0] * 8 + [5])
    assert found.ranked(0)[0] == (0, 1)


CONFIG: dict[str, Any] = {
    "dataset_type": "text/csv",
    "methods": {
        "shap": {"baseline": BASES[:1].tolist(), "interactions": {"top_k": 3, "rows": 4}},
        "report": {"name": "report"},
    },
    "predictor": {"model_name": "m", "label_headers": ["left", "right"]},
}


def test_an_analysis_tells_the_strongest_pairs(tmp_path: Any) -> None:
    document = clarify.analyze(CONFIG, ROWS, model, tmp_path)
    found = document["explanations"]["kernel_shap_interactions"]
    assert list(found) == ["left", "right"]
    assert (found["left"]["rows"], len(found["left"]["pairs"])) == (4, 3)
    sizes = [pair["mean_abs"] for pair in found["left"]["pairs"]]
    assert sizes == sorted(sizes, reverse=True)
    assert set(found["left"]["pairs"][0]) == {"features", "mean_abs", "mean", "standard_error"}
    page = (tmp_path / "report.html").read_text()
    assert "What works together" in page
    first, second = found["left"]["pairs"][0]["features"]
    assert f"{first} \N{MULTIPLICATION SIGN} {second}" in page


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"top_k": 0}, "interactions.top_k must be at least 1"),
        ({"pairs": 3}, "methods.shap.interactions has no key 'pairs'"),
        ({"rows": "all"}, "interactions.rows must be an integer"),
    ],
)
def test_wrong_settings(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(ClarifyError) as caught:
        parse({**CONFIG, "methods": {"shap": {"interactions": asked}}})
    assert says in str(caught.value)
