"""Tree models read from their trees give what Kernel SHAP gives over all coalitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor

from clary import clarify

RNG = np.random.default_rng(21)
ROWS = pd.DataFrame(RNG.normal(size=(400, 6)), columns=list("abcdef"))
LABEL = (ROWS["a"] * ROWS["b"] + ROWS["c"] > 0).astype(int)
BASELINE = ROWS.iloc[:15]
ASKED = ROWS.iloc[200:230].reset_index(drop=True)


def compared(model: Any, predict: Any, use_logit: bool) -> None:
    settings = clarify.Shap(baseline=BASELINE, use_logit=use_logit)
    read = clarify.explain_trees(ASKED, model, predict, settings)
    asked = clarify.explain(ASKED, predict, settings)
    assert not asked.errors.any(), "six features: Kernel SHAP is exact"
    assert read.values == pytest.approx(asked.values, abs=2e-4)
    assert read.expected == pytest.approx(asked.expected, abs=2e-4)
    assert read.global_values == pytest.approx(asked.global_values, abs=2e-4)
    assert list(read.local().columns) == list(asked.local().columns)


def test_boosted_trees_in_log_odds() -> None:
    model = xgboost.XGBClassifier(n_estimators=20, max_depth=3, n_jobs=1).fit(ROWS, LABEL)
    compared(model.get_booster(), lambda f: model.predict_proba(f)[:, 1], use_logit=True)
    boosted = GradientBoostingClassifier(n_estimators=15).fit(ROWS.to_numpy(), LABEL)
    compared(boosted, lambda f: boosted.predict_proba(f.to_numpy())[:, 1], use_logit=True)


def test_a_forest_in_probabilities_and_a_regressor() -> None:
    forest = RandomForestClassifier(10, max_depth=4, random_state=0).fit(ROWS.to_numpy(), LABEL)
    compared(forest, lambda f: forest.predict_proba(f.to_numpy())[:, 1], use_logit=False)
    regressor = RandomForestRegressor(10, max_depth=4, random_state=0).fit(ROWS.to_numpy(), ROWS["a"])
    compared(regressor, lambda f: regressor.predict(f.to_numpy()), use_logit=False)


def test_a_boosted_classifiers_probability_is_refused() -> None:
    """shap would answer with rescaled log-odds, which are not the Shapley values of the probability."""
    model = xgboost.XGBClassifier(n_estimators=20, max_depth=3, n_jobs=1).fit(ROWS, LABEL)
    with pytest.raises(clarify.ClarifyError, match="set use_logit"):
        clarify.explain_trees(
            ASKED, model, lambda f: model.predict_proba(f)[:, 1], clarify.Shap(baseline=BASELINE)
        )


def test_what_trees_cannot_explain_is_said() -> None:
    with pytest.raises(clarify.ClarifyError, match="cannot be read"):
        clarify.explain_trees(ASKED, "not trees", lambda f: f["a"], clarify.Shap(baseline=BASELINE))
    words = ASKED.assign(a="x")
    with pytest.raises(clarify.ClarifyError, match="'a' has other values"):
        clarify.explain_trees(words, None, lambda f: f["b"])
