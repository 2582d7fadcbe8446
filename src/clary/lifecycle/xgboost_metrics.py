"""The metrics that the built-in XGBoost logs by itself, as AWS defines them for it."""

from __future__ import annotations

NAMES = (
    "accuracy", "auc", "aucpr", "error", "f1", "logloss", "mae", "map", "mape", "merror", "mlogloss", "mphe",
    "mse", "ndcg", "rmse", "rmsle", "aft-nloglik", "cox-nloglik", "gamma-deviance", "gamma-nloglik",
    "poisson-nloglik", "tweedie-nloglik", "quantile",
)  # fmt: skip
_FORM = r".*\[[0-9]+\].*#011{data}-{metric}(?:@[^:]+)?:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*"
DEFINITIONS = [
    {"Name": f"{data}:{metric}", "Regex": _FORM.format(data=data, metric=metric)}
    for data in ("train", "validation")
    for metric in NAMES
]
