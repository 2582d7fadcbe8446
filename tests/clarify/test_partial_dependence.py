"""Partial dependence against arithmetic and scikit-learn, in analysis.json, the page and the notebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.inspection import partial_dependence as reference

from clary import clarify
from clary.clarify.partial_dependence import partial_dependence

RNG = np.random.default_rng(2)
TABLE = pd.DataFrame(
    {
        "age": RNG.integers(18, 80, 300),
        "pay": RNG.normal(50, 10, 300),
        "job": RNG.choice(["cook", "nurse", "pilot"], 300, p=[0.5, 0.3, 0.2]),
        "y": RNG.integers(0, 2, 300),
    }
)
CONFIG: dict[str, Any] = {
    "dataset_type": "text/csv",
    "label": "y",
    "methods": {"pdp": {"grid_resolution": 5}, "report": {"name": "report"}},
}
RISE = {"cook": 0.0, "nurse": 1.0, "pilot": 3.0}


def model(features: pd.DataFrame) -> Any:
    return (0.1 * features["age"] + features["job"].map(RISE)).to_numpy(dtype=float)


def test_a_sum_of_terms_depends_on_each_by_its_term() -> None:
    age, job = partial_dependence(TABLE.drop(columns="y"), model, ["age", "job"], 6)
    assert (age.kind, job.kind) == ("numerical", "categorical")
    assert np.diff(age.predictions[0]) == pytest.approx(0.1 * np.diff(age.values))
    assert job.values == ["cook", "nurse", "pilot"]
    assert job.predictions[0] - job.predictions[0][0] == pytest.approx([0, 1, 3])
    assert job.distribution == pytest.approx(TABLE["job"].value_counts(normalize=True).to_numpy())
    assert age.distribution.sum() == pytest.approx(1)
    assert age.own.shape == (40, 1, 6)


def test_it_is_what_scikit_learn_gives_at_the_same_values() -> None:
    features = TABLE[["age", "pay"]].astype(float)
    trained = GradientBoostingRegressor(n_estimators=20).fit(features.to_numpy(), TABLE["y"])
    (found,) = partial_dependence(features, lambda f: trained.predict(f.to_numpy()), ["pay"], 8)
    grid = {1: np.array(found.values)}
    theirs = reference(trained, features.to_numpy(), [1], custom_values=grid, method="brute", kind="both")
    assert found.predictions[0] == pytest.approx(theirs["average"][0])
    assert found.own[:, 0] == pytest.approx(theirs["individual"][0][:40])


def test_an_analysis_writes_it_everywhere(tmp_path: Path) -> None:
    document = clarify.analyze(CONFIG, TABLE, model, tmp_path)
    items = document["explanations"]["pdp"]
    assert [item["feature_name"] for item in items] == ["age", "pay", "job"]
    assert items[0]["data_type"] == "numerical" and len(items[0]["feature_values"]) == 5
    assert len(items[0]["model_predictions"]) == 1 and items[0]["label_headers"] == ["label0"]
    assert json.loads((tmp_path / "analysis.json").read_text()) == document
    page = (tmp_path / "report.html").read_text()
    assert "How the score follows a feature" in page and page.count('aria-label="Mean score as ') == 2
    assert "Partial dependence" in (tmp_path / "report.ipynb").read_text()


def test_the_strongest_features_are_taken_where_shap_was_asked() -> None:
    methods = {"pdp": {"top_k_features": 1}, "shap": {"seed": 1}}
    document = clarify.analyze(CONFIG | {"methods": methods}, TABLE, model)
    assert [item["feature_name"] for item in document["explanations"]["pdp"]] == ["age"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"features": ["agee"]}, "Did you mean 'age'"),
        ({"features": []}, "is empty"),
        ({"grid_resolution": 0}, "at least 1"),
        ({"resolution": 4}, "no key 'resolution'"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(clarify.ClarifyError, match=says):
        clarify.analyze(CONFIG | {"methods": {"pdp": settings}}, TABLE, model)


def test_gaps_constants_and_one_row() -> None:
    gaps = pd.DataFrame({"a": [1.0, None, 3.0], "b": ["x", None, "x"], "c": [7, 7, 7]})
    found = partial_dependence(gaps, lambda f: f["c"].to_numpy(dtype=float), ["a", "b", "c"])
    assert found[0].distribution.sum() == pytest.approx(2 / 3), "a missing value is in no bucket"
    assert found[2].values == [7]
    single = partial_dependence(gaps[:1], lambda f: f["a"].to_numpy(dtype=float), ["a"])
    assert single[0].predictions.tolist() == [[1.0]]
    with pytest.raises(clarify.ClarifyError, match="has no values"):
        partial_dependence(pd.DataFrame({"a": [np.nan]}), lambda f: np.zeros(len(f)), ["a"])
