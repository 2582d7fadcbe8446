"""A scikit-learn estimator saved with joblib, served without a script."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from clary.containers.inference import content
from clary.containers.inference.invocation import (
    Answer,
    CannotServe,
    ClientError,
    Invocation,
    Served,
    choose_accept,
    concurrency,
    media_type,
)

PREDICT = "CLARY_PREDICT"


def serve(path: Path) -> Served:
    """CLARY_PREDICT=proba makes CSV and NumPy answers probabilities; labels (or values) by default."""
    wish = os.environ.get(PREDICT, "predict")
    if wish not in ("predict", "proba"):
        raise CannotServe(f"{PREDICT} must be predict or proba, not {wish!r}")
    estimator = load(path)
    if wish == "proba" and not hasattr(estimator, "predict_proba"):
        raise CannotServe(f"{PREDICT}=proba, but {type(estimator).__name__} has no predict_proba")
    return Served(
        lambda call: answer(estimator, call, wish == "proba"),
        f"scikit-learn {type(estimator).__name__}",
        concurrency(),
    )


def load(path: Path) -> Any:
    try:
        estimator = joblib.load(path)
    except Exception as error:
        raise CannotServe(
            f"{path.name} cannot be loaded ({type(error).__name__}: {error}). It must be written by "
            "joblib.dump with the scikit-learn that serves it; own classes need an inference script"
        ) from error
    if not hasattr(estimator, "predict"):
        raise CannotServe(f"{path.name} holds a {type(estimator).__name__}, which has no predict()")
    return estimator


def answer(estimator: Any, call: Invocation, proba: bool) -> Answer:
    default = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", content.CSV)
    accept = choose_accept(call.accept, content.WRITTEN, media_type(default))
    rows = read(estimator, call)
    try:
        if accept == content.JSON:
            return Answer(json.dumps({"predictions": predictions(estimator, rows)}).encode(), accept)
        values = estimator.predict_proba(rows) if proba else estimator.predict(rows)
    except (ValueError, TypeError) as error:
        raise ClientError(400, f"{type(estimator).__name__} refused the records: {error}") from error
    return Answer(content.encode(values, accept), accept)


def read(estimator: Any, call: Invocation) -> Any:
    """An array (records, features), or a data frame where the estimator was trained on named columns."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None:
        return _frame(call, [str(name) for name in names])
    rows = content.decode(call)
    rows = rows.reshape(1, -1) if rows.ndim == 1 else rows
    _check_width(rows.shape[1], getattr(estimator, "n_features_in_", None))
    return rows


def predictions(estimator: Any, rows: Any) -> list[dict[str, Any]]:
    """A dict for each record: `score`, or `predicted_label` with `probabilities` where there are some."""
    values = np.asarray(estimator.predict(rows)).tolist()
    if not hasattr(estimator, "classes_"):
        return [{"score": value} for value in values]
    if not hasattr(estimator, "predict_proba"):
        return [{"predicted_label": value} for value in values]
    shares = np.asarray(estimator.predict_proba(rows)).tolist()
    return [
        {"predicted_label": value, "probabilities": share}
        for value, share in zip(values, shares, strict=True)
    ]


def _frame(call: Invocation, names: list[str]) -> Any:
    import pandas as pd

    if call.content_type == content.CSV:
        lines = content.csv_rows(call.text)
        _check_width(len(lines[0]), len(names))
        frame = pd.DataFrame([[value.strip() for value in line] for line in lines], columns=names)
        return frame.apply(_column)
    if call.content_type == content.JSON:
        return _frame_of_json(content.json_value(call.text), names)
    rows = content.decode(call)
    _check_width(rows.shape[-1], len(names))
    return pd.DataFrame(rows.reshape(-1, len(names)), columns=names)


def _frame_of_json(value: Any, names: list[str]) -> Any:
    """Of a list of objects, a list of lists, or one list; also under `instances`."""
    import pandas as pd

    value = value.get("instances", value) if isinstance(value, dict) else value
    if not isinstance(value, list) or not value:
        raise ClientError(400, "The JSON body must be a list of records")
    if all(isinstance(row, dict) for row in value):
        missing = [name for name in names if name not in value[0]]
        if missing:
            raise ClientError(400, f"The JSON records lack {', '.join(missing)}")
        return pd.DataFrame(value)[names]
    table = value if isinstance(value[0], list) else [value]
    for row in table:
        _check_width(len(row) if isinstance(row, list) else 1, len(names))
    return pd.DataFrame(table, columns=names)


def _column(values: Any) -> Any:
    """Numbers where all values are numbers, as a data frame's reader has them."""
    import pandas as pd

    try:
        return pd.to_numeric(values.replace("", np.nan))
    except (ValueError, TypeError):
        return values


def _check_width(found: int, expected: int | None) -> None:
    if expected is not None and found != expected:
        raise ClientError(
            400,
            f"Each record must have {expected} values, as the model was trained with; this one has {found}",
        )
