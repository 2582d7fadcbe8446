"""Kernel SHAP: exact where theory gives the values, with text features, and repeatable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from clary import clarify
from clary.clarify import Prediction, Shap

PEOPLE = pd.DataFrame(
    {
        "age": [20, 30, 40, 50, 30],
        "job": ["cook", "nurse", "cook", "pilot", "cook"],
        "x": [1.5, -2.0, 0.0, 4.0, 1.0],
    }
)


def pay(people: pd.DataFrame) -> np.ndarray[Any, Any]:
    """A sum of one term for each feature: its Shapley values are the terms' differences to the baseline."""
    return (
        2.0 * people["age"] + people["job"].map({"cook": 5.0, "nurse": 7.0, "pilot": 30.0}) - people["x"]
    ).to_numpy()


def test_a_sum_of_terms_is_explained_exactly() -> None:
    found = clarify.explain(PEOPLE, pay, Shap(baseline=[[30, "cook", 1.0]], seed=1))
    assert found.expected == pytest.approx([64.0])
    assert found.values[1, :, 0] == pytest.approx([0.0, 2.0, 3.0])
    assert found.values[3, :, 0] == pytest.approx([40.0, 25.0, -3.0])
    assert found.values[:, :, 0].sum(axis=1) + 64.0 == pytest.approx(pay(PEOPLE))


def test_columns_may_be_numbered() -> None:
    """As pandas calls them where a file has no header."""
    rows, baseline = pd.DataFrame([[3.0, 5.0]]), pd.DataFrame([[1.0, 1.0]])
    found = clarify.explain(rows, lambda frame: frame.to_numpy() @ [2.0, 1.0], Shap(baseline=baseline))
    assert list(found.features.columns) == ["0", "1"]
    assert found.values[0, :, 0] == pytest.approx([4.0, 4.0])


def test_interactions_are_shared_equally() -> None:
    """f = a * b from the baseline 0: each of the two gets half of the product, the third nothing."""
    rows = pd.DataFrame({"a": [2.0], "b": [3.0], "c": [9.0]})
    found = clarify.explain(rows, lambda f: f["a"] * f["b"], Shap(baseline=[[0, 0, 0]]))
    assert found.values[0, :, 0] == pytest.approx([3.0, 3.0, 0.0], abs=1e-9)


def test_more_than_ten_features_keep_their_values() -> None:
    """shap's default would force all but ten to zero."""
    rows = pd.DataFrame(np.arange(1.0, 17.0).reshape(1, 16), columns=[f"f{i}" for i in range(16)])
    found = clarify.explain(rows, lambda f: f.sum(axis=1), Shap(baseline=[[0] * 16], seed=0))
    assert found.values[0, :, 0] == pytest.approx(np.arange(1.0, 17.0))


def test_a_baseline_of_one_cluster_is_a_typical_row_whose_values_occur() -> None:
    one = clarify.explain(PEOPLE, pay, Shap(num_clusters=1)).baseline
    assert one.iloc[0].tolist() == [30, "cook", 1.0]


@pytest.mark.parametrize("names", [["age", "x"], ["job"]])
def test_clusters_of_numbers_alone_and_of_text_alone(names: list[str]) -> None:
    def model(rows: pd.DataFrame) -> np.ndarray[Any, Any]:
        return np.asarray(rows.astype(str).map(len).sum(axis=1), dtype=float)

    found = clarify.explain(PEOPLE[names], model, Shap(num_clusters=2, seed=4))
    assert len(found.baseline) == 2
    assert list(found.baseline) == names


def test_clusters_make_the_baseline_from_text_and_numbers() -> None:
    found = clarify.explain(PEOPLE, pay, Shap(num_clusters=3, seed=4))
    assert len(found.baseline) == 3
    assert set(found.baseline["job"]) <= set(PEOPLE["job"])
    assert found.values[:, :, 0].sum(axis=1) + found.expected[0] == pytest.approx(pay(PEOPLE))


@pytest.mark.parametrize(("method", "value"), [("mean_abs", 2.0), ("median", 0.0), ("mean_sq", 6.0)])
def test_local_values_are_aggregated_as_asked(method: str, value: float) -> None:
    rows = pd.DataFrame({"a": [0.0, 0.0, 3.0, -3.0, 3.0, -3.0], "b": [0.0] * 6})
    found = clarify.explain(rows, lambda f: f["a"], Shap(baseline=[[0, 0]], agg_method=method))
    assert found.global_values[0, 0] == pytest.approx(value)
    assert found.in_json()["label0"]["global_shap_values"] == {
        "a": pytest.approx(value),
        "b": pytest.approx(0),
    }


def test_logits_add_up() -> None:
    rows = pd.DataFrame({"a": [0.3, 1.0, -2.0], "b": [1.0, 0.5, 0.0]})
    odds = rows["a"] + 2 * rows["b"]
    found = clarify.explain(
        rows, lambda f: 1 / (1 + np.exp(-f["a"] - 2 * f["b"])), Shap([[0, 0]], use_logit=True)
    )
    assert found.expected == pytest.approx([0.0])
    assert found.values[:, :, 0].sum(axis=1) == pytest.approx(odds)
    with pytest.raises(clarify.ClarifyError, match="use_logit needs probabilities"):
        clarify.explain(PEOPLE, pay, Shap(use_logit=True))


def test_the_seed_repeats_a_sample_and_leaves_numpy_alone() -> None:
    rng = np.random.default_rng(5)
    rows = pd.DataFrame(rng.normal(size=(3, 13)), columns=list("abcdefghijklm"))
    weights = rng.normal(size=(13, 13))

    def model(f: pd.DataFrame) -> np.ndarray[Any, Any]:
        return np.tanh(f.to_numpy() @ weights).sum(axis=1)

    before = np.random.get_state()[1].tolist()
    one, two, other = (
        clarify.explain(rows, model, Shap(num_samples=200, seed=seed)).values for seed in (1, 1, 2)
    )
    assert (one == two).all()
    assert (one != other).any()
    assert np.random.get_state()[1].tolist() == before


def test_several_outputs_are_named() -> None:
    def model(f: pd.DataFrame) -> Prediction:
        return Prediction(scores=np.stack([f["x"], -f["x"]], axis=1))

    found = clarify.explain(PEOPLE, model, Shap(num_clusters=1, seed=0), ["up", "down"])
    assert list(found.in_json()) == ["up", "down"]
    assert list(found.local().columns) == ["age_up", "job_up", "x_up", "age_down", "job_down", "x_down"]
    assert found.local()["x_up"].to_numpy() == pytest.approx(PEOPLE["x"] - 1.0)
    with pytest.raises(clarify.ClarifyError, match="3 names, but the model has 2"):
        clarify.explain(PEOPLE, model, Shap(), ["a", "b", "c"])


@pytest.mark.parametrize(
    ("model", "settings", "says"),
    [
        (lambda f: ["yes"] * len(f), Shap(), "labels only"),
        (lambda f: [1.0], Shap(), "1 predictions for"),
        (lambda f: [np.nan] * len(f), Shap(), "NaN"),
        (pay, Shap(baseline=[[1, 2]]), "2 values, but the model gets 3 features: age, job, x"),
        (pay, Shap(baseline=[["old", "cook", 1]]), "'age' is a number"),
        (pay, Shap(baseline=[{"age": 1, "job": "cook"}]), "lacks the feature 'x'"),
    ],
)
def test_bad_answers_and_baselines_are_named(model: Any, settings: Shap, says: str) -> None:
    with pytest.raises(clarify.ClarifyError, match=says):
        clarify.explain(PEOPLE, model, settings)
