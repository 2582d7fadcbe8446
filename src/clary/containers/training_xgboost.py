"""The built-in XGBoost algorithm: SageMaker's hyperparameters and channels, XGBoost's training."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from clary.containers import xgboost_data, xgboost_parameters
from clary.containers.xgboost_parameters import UserError


def main() -> None:
    root = Path(os.environ.get("CLARY_ML_ROOT", "/opt/ml"))
    try:
        train(root)
    except UserError as error:
        (root / "output").mkdir(exist_ok=True)
        (root / "output" / "failure").write_text(f"ClientError: {error}", encoding="utf-8")
        sys.exit(f"ClientError: {error}")


def train(root: Path) -> None:
    """Read the channels, train, write model/xgboost-model. UserError for what the user can mend."""
    config = root / "input" / "config"
    wanted = xgboost_parameters.validate(json.loads((config / "hyperparameters.json").read_text()))
    xgboost = _xgboost()
    channels = json.loads((config / "inputdataconfig.json").read_text())
    matrices = xgboost_data.matrices(root / "input" / "data", channels, bool(wanted.settings["csv_weights"]))
    for name, matrix in matrices.items():
        print(f"{name.capitalize()} matrix has {matrix.num_row()} rows and {matrix.num_col()} columns")
    parameters = {"nthread": int(os.environ.get("CLARY_CPUS", os.cpu_count() or 1)), **wanted.parameters}
    try:
        booster = xgboost.train(
            parameters,
            matrices["train"],
            num_boost_round=wanted.settings["num_round"],
            evals=[(matrix, name) for name, matrix in matrices.items()],
            early_stopping_rounds=wanted.settings["early_stopping_rounds"],
            callbacks=[_log_lines(xgboost)],
            verbose_eval=False,
        )
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise UserError(f"XGBoost refused to train: {_first_line(error)}") from error
    (root / "model").mkdir(exist_ok=True)
    # A name without an ending would be UBJ too, but with a warning.
    (root / "model" / "xgboost-model").write_bytes(booster.save_raw("ubj"))


def _xgboost() -> Any:
    """XGBoost without scikit-learn, which it imports for wrappers that are not used here (over a second)."""
    blocked: dict[str, Any] = {"sklearn": None}
    sys.modules.update(blocked)
    try:
        import xgboost
    finally:
        del sys.modules["sklearn"]
    return xgboost


def _log_lines(xgboost: Any) -> Any:
    """A callback that logs each round as SageMaker's container is seen to: `[0]#011train-rmse:4.2`."""

    class Lines(xgboost.callback.TrainingCallback):  # type: ignore[misc]  # xgboost is untyped
        def after_iteration(self, model: Any, epoch: int, evals_log: dict[str, Any]) -> bool:
            scores = [
                f"{data}-{metric}:{values[-1]:.5f}"
                for data, metrics in evals_log.items()
                for metric, values in metrics.items()
            ]
            print("#011".join([f"[{epoch}]", *scores]), flush=True)
            return False

    return Lines()


def _first_line(error: Exception) -> str:
    """XGBoost's message without its C++ stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].partition("] ")[2] or lines[0] if lines else type(error).__name__


if __name__ == "__main__":
    main()
