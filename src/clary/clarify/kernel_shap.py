"""Kernel SHAP: what each feature adds to a model's score, for every row and over all rows.

Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", NeurIPS 2017.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.baseline import clustered, given, typical
from clary.clarify.columns import Value
from clary.clarify.config import Shap
from clary.clarify.errors import ClarifyError
from clary.clarify.predictions import Predict, scores

Floats = NDArray[np.float64]

DEFAULTS = Shap()

PROBABILITY_EDGE = 1e-9
"""With use_logit, probabilities are kept this far from 0 and 1, whose logits are infinite."""

AGGREGATE: dict[str, Callable[[Floats], Floats]] = {
    "mean_abs": lambda values: np.abs(values).mean(axis=0),
    "median": lambda values: np.median(values, axis=0),
    "mean_sq": lambda values: (values**2).mean(axis=0),
}


@dataclass(frozen=True)
class Explanation:
    """SHAP values of n rows, m features and k model outputs."""

    features: pd.DataFrame
    outputs: list[str]
    values: Floats
    """Shape (n, m, k): with the expected value they add up to the row's score (its logit with use_logit)."""
    expected: Floats
    """Shape (k,): the mean score of the baseline."""
    global_values: Floats
    """Shape (m, k): the values aggregated over the rows."""
    baseline: pd.DataFrame
    agg_method: str
    evaluations: int
    """How many rows the model was asked."""

    def in_json(self) -> dict[str, Any]:
        """The kernel_shap part of analysis.json."""
        names = list(map(str, self.features.columns))
        return {
            output: {
                "global_shap_values": dict(zip(names, self.global_values[:, k].tolist(), strict=True)),
                "expected_value": float(self.expected[k]),
            }
            for k, output in enumerate(self.outputs)
        }

    def local(self) -> pd.DataFrame:
        """One line a row; columns `<feature>_<output>`, as explanations_shap/out.csv has them."""
        columns = [f"{name}_{output}" for output in self.outputs for name in self.features.columns]
        n, m, k = self.values.shape
        return pd.DataFrame(self.values.transpose(0, 2, 1).reshape(n, k * m), columns=columns)


def explain(
    features: pd.DataFrame,
    predict: Predict,
    settings: Shap = DEFAULTS,
    label_headers: Sequence[Value] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Explanation:
    """Explain the model's scores for every row of `features`, each column being one player.

    The baseline holds rows like those of `features`: given in `settings`, or one typical row, or (with
    `num_clusters`) one for each cluster of the data. `num_samples` is the number of coalitions a row
    (2m + 2048 by default; all of them where that is fewer). No feature's value is forced to zero (shap's
    l1_reg is off). Raises ClarifyError where the model answers no numbers, or a baseline does not fit.
    """
    background = _baseline(features, settings)
    game = _Game(features, background, predict, settings.use_logit)
    values, expected = _shapley(game, settings, progress)
    k = values.shape[2]
    if label_headers is not None and len(label_headers) != k:
        raise ClarifyError(f"label_headers has {len(label_headers)} names, but the model has {k} outputs.")
    outputs = [f"label{i}" for i in range(k)] if label_headers is None else list(map(str, label_headers))
    overall = AGGREGATE[settings.agg_method](values)
    return Explanation(
        features, outputs, values, expected, overall, background, settings.agg_method, game.evaluations
    )


def _baseline(features: pd.DataFrame, settings: Shap) -> pd.DataFrame:
    if isinstance(settings.baseline, pd.DataFrame):
        return settings.baseline[list(features.columns)]
    if settings.baseline is not None:
        return given(settings.baseline, features)
    if settings.num_clusters is not None:
        return clustered(features, settings.num_clusters, settings.seed)
    return typical(features)


class _Game:
    """The model over codes: every value of a feature is a number, so that text is a player like any other."""

    def __init__(
        self, features: pd.DataFrame, background: pd.DataFrame, predict: Predict, use_logit: bool
    ) -> None:
        self.predict, self.use_logit, self.evaluations = predict, use_logit, 0
        self.values: dict[str, pd.Series[Any]] = {}
        together = pd.concat([features, background], ignore_index=True)
        codes = np.empty(together.shape, dtype=float)
        for i, name in enumerate(together.columns):
            column = together[name].astype(features[name].dtype, errors="ignore")
            codes[:, i], uniques = pd.factorize(column, use_na_sentinel=False)
            self.values[name] = pd.Series(uniques, dtype=column.dtype)
        self.rows, self.background = codes[: len(features)], codes[len(features) :]

    def __call__(self, codes: Floats) -> Floats:
        self.evaluations += len(codes)
        frame = pd.DataFrame(
            {
                name: values.take(codes[:, i].astype(int)).reset_index(drop=True)
                for i, (name, values) in enumerate(self.values.items())
            }
        )
        found = scores(self.predict, frame)
        if not self.use_logit:
            return found
        if found.min() < 0 or found.max() > 1:
            raise ClarifyError(
                "methods.shap.use_logit needs probabilities, but the model's scores leave 0 to 1."
            )
        return np.clip(found, PROBABILITY_EDGE, 1 - PROBABILITY_EDGE)


def _shapley(
    game: _Game,
    settings: Shap,
    progress: Callable[[int, int], None],
) -> tuple[Floats, Floats]:
    """Values (n, m, k) and expected values (k,) by shap's KernelExplainer."""
    import shap

    logging.getLogger("shap").setLevel(logging.ERROR)
    samples = "auto" if settings.num_samples is None else settings.num_samples
    rows = []
    link = "logit" if settings.use_logit else "identity"
    with _seeded(settings.seed):
        explainer = shap.KernelExplainer(game, game.background, link=link)
        for done, row in enumerate(game.rows, 1):
            value = np.asarray(explainer.shap_values(row, nsamples=samples, l1_reg=False, silent=True))
            rows.append(value.reshape(len(row), -1))
            progress(done, len(game.rows))
    return np.stack(rows), np.atleast_1d(np.asarray(explainer.expected_value, dtype=float))


@contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """shap draws from numpy's global generator: seed it for the while and give it back as it was."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)
