"""Exact Shapley values of tree models, read from their trees: no sampling, and few calls of the model.

Lundberg et al., "From local explanations to global understanding with explainable AI for trees", Nature
Machine Intelligence 2020; the interventional form, which answers the same question as Kernel SHAP. By `shap`.

A tree model adds up what its trees say: log-odds in a boosted classifier, shares in a forest, the prediction
itself in a regressor. Only of that sum are the values exact (shap's "probability" of a boosted classifier
only rescales them), so it must be the score that is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from clary.clarify.config.analysis import Shap
from clary.clarify.data.columns import Value
from clary.clarify.data.predictions import Predict
from clary.clarify.errors import ClarifyError
from clary.clarify.shap.coalitions import Floats
from clary.clarify.shap.explanation import AGGREGATE, TREE_SHAP, Explanation
from clary.clarify.shap.game import Game
from clary.clarify.shap.kernel import DEFAULTS, baseline_of, output_names
from clary.clarify.shap.players import players_of

CHECKED_ROWS = 200
CLOSE = 1e-3
"""How far the trees' sums may be from the model's scores (trees count in single precision)."""


def explain_trees(
    features: pd.DataFrame,
    trees: Any,
    predict: Predict,
    settings: Shap = DEFAULTS,
    label_headers: Sequence[Value] | None = None,
) -> Explanation:
    """As `explain`, for trees that `shap.TreeExplainer` can read (XGBoost, LightGBM, scikit-learn).

    `predict` is the model whose scores are explained; it is asked for CHECKED_ROWS rows at most, to see that
    the trees add up to them. Raises ClarifyError where they do not: a boosted classifier needs use_logit, a
    forest must do without. All features must be numbers.
    """
    import shap

    _only_numbers(features, settings)
    background = baseline_of(features, settings)
    try:
        explainer = shap.TreeExplainer(
            trees, data=background.to_numpy(dtype=float), feature_perturbation="interventional"
        )
        first = _values(explainer, features[:CHECKED_ROWS])
    except Exception as error:
        raise ClarifyError(f"The trees of this model cannot be read: {error}") from error
    expected = np.atleast_1d(np.asarray(explainer.expected_value, dtype=float))
    checked = Game(
        features[:CHECKED_ROWS], background, predict, players_of(features, settings), settings.use_logit
    )
    own = checked.of_rows()
    positive = slice(1, None) if first.shape[2] == 2 and own.shape[1] == 1 else slice(None)
    gap = _gap((first.sum(axis=1) + expected)[:, positive], own)
    values, expected = _values(explainer, features)[:, :, positive], expected[positive]
    scores = values.sum(axis=1) + expected
    return Explanation(
        features=features,
        outputs=output_names(values.shape[2], label_headers),
        values=values,
        errors=np.zeros_like(values),
        expected=expected,
        scores=scores,
        global_values=AGGREGATE[settings.agg_method](values),
        baseline=background,
        agg_method=settings.agg_method,
        evaluations=checked.evaluations,
        efficiency_gap=gap,
        method=TREE_SHAP,
    )


def _values(explainer: Any, features: pd.DataFrame) -> Floats:
    """Shape (n, m, k); of a forest k is both classes."""
    values = np.asarray(explainer.shap_values(features.to_numpy(dtype=float), check_additivity=False))
    return values.reshape(*features.shape, -1).astype(float)


def _gap(sums: Floats, own: Floats) -> float:
    if sums.shape != own.shape or not np.allclose(sums, own, atol=CLOSE, rtol=CLOSE):
        raise ClarifyError(
            "The trees do not add up to the score that is explained. Of a boosted classifier they add up to "
            "log-odds: set use_logit; of a forest to the probability: leave use_logit out."
        )
    return float(np.abs(sums - own).max())


def _only_numbers(features: pd.DataFrame, settings: Shap) -> None:
    words = features.select_dtypes(exclude=["number", "bool"]).columns
    if len(words):
        raise ClarifyError(f"Trees are read with numbers only, but {words[0]!r} has other values.")
    if settings.feature_groups or settings.features_to_explain:
        raise ClarifyError(
            "Trees are read feature by feature: leave out feature_groups and features_to_explain."
        )
