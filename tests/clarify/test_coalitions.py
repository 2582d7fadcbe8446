"""Designs of Kernel SHAP: exact when complete, right on average when drawn, and honest about their error."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clary import clarify
from clary.clarify.shap.coalitions import attribute, design, smallest

Floats = np.ndarray[Any, Any]


def exact(scores: dict[frozenset[int], float], players: int) -> Floats:
    """Shapley's own formula over all coalitions (Shapley 1953)."""
    values = np.zeros(players)
    for player in range(players):
        others = [p for p in range(players) if p != player]
        for size in range(players):
            weight = math.factorial(size) * math.factorial(players - 1 - size) / math.factorial(players)
            for chosen in itertools.combinations(others, size):
                before = frozenset(chosen)
                values[player] += weight * (scores[before | {player}] - scores[before])
    return values


@settings(max_examples=25, deadline=None)
@given(players=st.integers(2, 7), seed=st.integers(0, 2**32 - 1))
def test_a_complete_design_gives_shapleys_values(players: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = {
        frozenset(chosen): float(rng.normal())
        for size in range(players + 1)
        for chosen in itertools.combinations(range(players), size)
    }
    plan = design(players, 2**players, rng)
    empty, full = scores[frozenset()], scores[frozenset(range(players))]
    asked = [scores[frozenset(np.flatnonzero(row).tolist())] - empty for row in plan.coalitions]
    values, variance = attribute(plan, np.array(asked)[None, :, None], np.array([[full - empty]]))
    assert plan.exact and len(plan.coalitions) == 2**players - 2
    assert values[0, :, 0] == pytest.approx(exact(scores, players), abs=1e-9)
    assert not variance.any()


@settings(max_examples=50, deadline=None)
@given(players=st.integers(2, 60), samples=st.integers(1, 3000), seed=st.integers(0, 100))
def test_every_design_is_sound(players: int, samples: int, seed: int) -> None:
    plan = design(players, samples, np.random.default_rng(seed))
    coalitions = plan.coalitions
    half = len(coalitions) // 2
    assert (coalitions[:half] == ~coalitions[half:]).all()
    assert len(np.unique(coalitions, axis=0)) == len(coalitions), "nothing is asked twice"
    assert coalitions.any(axis=1).all() and not coalitions.all(axis=1).any()
    assert len(coalitions) <= max(samples, smallest(players))
    assert plan.share.sum() == pytest.approx(1)
    assert plan.solve.sum(axis=0) == pytest.approx(np.zeros(len(coalitions)), abs=1e-9)
    terms = np.arange(1.0, players + 1)
    values, _ = attribute(plan, (coalitions @ terms)[None, :, None], np.array([[terms.sum()]]))
    assert values[0, :, 0] == pytest.approx(terms), "a sum of terms is exact however few are drawn"


def bumpy(rng: np.random.Generator, features: int) -> Any:
    """A model with interactions of all orders."""
    weights = rng.normal(size=(features, 24))
    return lambda f: np.tanh(f.to_numpy() @ weights).sum(axis=1)


@pytest.mark.parametrize("samples", [300, 900])
def test_standard_errors_cover_the_truth(samples: int) -> None:
    rng = np.random.default_rng(11)
    rows = pd.DataFrame(rng.normal(size=(40, 11)), columns=list("abcdefghijk"))
    model, zeros = bumpy(rng, 11), [[0.0] * 11]
    truth = clarify.explain(rows, model, clarify.Shap(baseline=zeros, num_samples=2**11)).values
    hits = []
    for seed in range(5):
        found = clarify.explain(rows, model, clarify.Shap(baseline=zeros, num_samples=samples, seed=seed))
        assert (found.errors > 0).all()
        hits.append((np.abs(found.values - truth) < 2 * found.errors).mean())
    assert 0.9 < np.mean(hits) < 0.99


def test_too_few_samples_say_that_the_error_is_unknown() -> None:
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(rng.normal(size=(4, 9)), columns=list("abcdefghi"))
    found = clarify.explain(rows, bumpy(rng, 9), clarify.Shap(baseline=[[0.0] * 9], num_samples=5))
    assert np.isnan(found.errors).all()
    assert found.in_json()["label0"]["standard_errors"]["a"] is None
    assert found.efficiency_gap < 1e-9
    assert found.evaluations == 4 * 2 * 9 + 4 + 1, "two for each feature are the least"


def test_many_baseline_rows_share_the_samples() -> None:
    rng = np.random.default_rng(8)
    rows = pd.DataFrame(rng.normal(size=(12, 8)), columns=list("abcdefgh"))
    baseline = pd.DataFrame(rng.normal(size=(50, 8)), columns=rows.columns)
    model = bumpy(rng, 8)
    truth = clarify.explain(rows, model, clarify.Shap(baseline=baseline, num_samples=10**6))
    found = clarify.explain(rows, model, clarify.Shap(baseline=baseline, num_samples=250, seed=0))
    assert not truth.errors.any()
    assert found.evaluations < truth.evaluations / 4
    assert (np.abs(found.values - truth.values) < 5 * found.errors + 1e-12).all()
    assert found.efficiency_gap < 1e-9


def test_one_hot_columns_are_one_player() -> None:
    rows = pd.DataFrame({"age": [30.0, 50.0], "job_cook": [1, 0], "job_nurse": [0, 1], "job_pilot": [0, 0]})
    pay = np.array([1.0, 5.0, 7.0, 30.0])
    settings = clarify.Shap(
        baseline=[[40.0, 0, 0, 1]],
        feature_groups={"job": ["job_cook", "job_nurse", "job_pilot"]},
    )
    found = clarify.explain(rows, lambda f: f.to_numpy() @ pay, settings)
    assert list(found.local().columns) == ["age_label0", "job_label0"]
    assert found.values[:, :, 0] == pytest.approx(np.array([[-10.0, -25.0], [10.0, -23.0]]))
    assert found.features["job"].tolist() == ["cook", "nurse"]


def test_only_the_features_asked_about_are_explained() -> None:
    rng = np.random.default_rng(4)
    rows = pd.DataFrame(rng.normal(size=(5, 12)), columns=[f"f{i}" for i in range(12)])
    settings = clarify.Shap(baseline=[[0.0] * 12], features_to_explain=["f3", 7])
    found = clarify.explain(rows, lambda f: f.sum(axis=1), settings)
    assert list(found.features.columns) == ["f3", "f7"]
    assert found.values[:, :, 0] == pytest.approx(rows[["f3", "f7"]].to_numpy())
    assert found.efficiency_gap < 1e-9
    assert found.evaluations <= 5 * 6 + 6


def test_a_baseline_between_integers_stays_there() -> None:
    rows = pd.DataFrame({"age": [30, 40]})
    found = clarify.explain(rows, lambda f: f["age"], clarify.Shap(baseline=[[38.5]]))
    assert found.expected == pytest.approx([38.5])


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"features_to_explain": ["agee"]}, "Did you mean 'age'"),
        ({"features_to_explain": [9]}, "there are 2 features"),
        ({"feature_groups": {"g": ["age", "nope"]}}, "names 'nope'"),
        ({"feature_groups": {"g": ["age"], "h": ["age"]}}, "is in 'g' and 'h'"),
    ],
)
def test_wrong_players_are_named(settings: dict[str, Any], says: str) -> None:
    rows = pd.DataFrame({"age": [1, 2], "pay": [3, 4]})
    with pytest.raises(clarify.ClarifyError, match=says):
        clarify.explain(rows, lambda f: f["age"], clarify.Shap(**settings))
