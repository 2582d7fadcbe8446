"""What an explanation by Shapley values is, whichever method found it, and how Clarify writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clary.clarify.shap.coalitions import Floats

AGGREGATE: dict[str, Callable[[Floats], Floats]] = {
    "mean_abs": lambda values: np.abs(values).mean(axis=0),
    "median": lambda values: np.median(values, axis=0),
    "mean_sq": lambda values: (values**2).mean(axis=0),
}


KERNEL_SHAP, TREE_SHAP = "kernel_shap", "tree_shap"


@dataclass(frozen=True)
class Explanation:
    """SHAP values of n rows, m features and k model outputs."""

    features: pd.DataFrame
    """What is shown of each row, one column for each of the m features."""
    outputs: list[str]
    values: Floats
    """Shape (n, m, k): with the expected value they add up to the row's score (its logit with use_logit)."""
    errors: Floats
    """Shape (n, m, k): the standard error of each value by the coalitions that were drawn; 0 where the value
    is exact, NaN where too few were drawn to tell."""
    expected: Floats
    """Shape (k,): the mean score of the baseline."""
    scores: Floats
    """Shape (n, k): the rows' own scores."""
    global_values: Floats
    """Shape (m, k): the values aggregated over the rows."""
    baseline: pd.DataFrame
    agg_method: str
    evaluations: int
    """How many rows the model was asked."""
    efficiency_gap: float
    """The largest difference between a row's score and what its values add up to: the efficiency axiom."""

    method: str = KERNEL_SHAP
    """How the values were found: by coalitions, or read exactly from the model's trees."""

    def in_json(self) -> dict[str, Any]:
        """The kernel_shap part of analysis.json; `standard_errors` is the mean over the rows."""
        names = list(map(str, self.features.columns))
        return {
            output: {
                "global_shap_values": dict(zip(names, self.global_values[:, k].tolist(), strict=True)),
                "expected_value": float(self.expected[k]),
                "standard_errors": dict(
                    zip(names, map(_number, self.errors[:, :, k].mean(axis=0)), strict=True)
                ),
            }
            for k, output in enumerate(self.outputs)
        }

    def local(self) -> pd.DataFrame:
        """One line a row; columns `<feature>_<output>`, as explanations_shap/out.csv has them."""
        columns = [f"{name}_{output}" for output in self.outputs for name in self.features.columns]
        n, m, k = self.values.shape
        return pd.DataFrame(self.values.transpose(0, 2, 1).reshape(n, k * m), columns=columns)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
