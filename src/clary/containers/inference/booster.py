"""The built-in XGBoost algorithm's model: CSV and LIBSVM in, scores out, as SageMaker's container answers."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost

from clary.containers.inference import content
from clary.containers.inference.invocation import (
    Answer,
    CannotServe,
    ClientError,
    Invocation,
    Served,
    choose_accept,
    concurrency,
    unsupported,
)

LIBSVM = ("text/libsvm", "text/x-libsvm")
READ = (content.CSV, *LIBSVM)
JSON_LINES = "application/jsonlines"
WRITTEN = (content.CSV, content.JSON, JSON_LINES)
PICKLE = b"\x80"
MANY = 5000
"""Scores from which on Arrow writes them sooner than Python."""


def serve(path: Path) -> Served:
    if os.environ.get("SAGEMAKER_INFERENCE_OUTPUT"):
        raise CannotServe("SAGEMAKER_INFERENCE_OUTPUT (selectable inference output) is not built in Clary")
    booster = load(path)
    return Served(
        lambda call: answer(booster, call), f"XGBoost model, {booster.num_features()} features", concurrency()
    )


def load(path: Path) -> xgboost.Booster:
    """A booster saved as UBJSON or JSON; CannotServe for anything else."""
    data = path.read_bytes()
    if data.startswith(PICKLE):
        raise CannotServe(
            f"{path.name} is a Python pickle, which is not loaded: save the booster with "
            f"booster.save_model({path.name!r}), which writes UBJSON"
        )
    booster = xgboost.Booster()
    try:
        booster.load_model(bytearray(data))
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise CannotServe(
            f"{path.name} is not an XGBoost model in UBJSON or JSON: {str(error).strip().splitlines()[-1]}"
        ) from error
    booster.set_param({"nthread": int(os.environ.get("OMP_NUM_THREADS", "1"))})
    return booster


def answer(booster: xgboost.Booster, call: Invocation) -> Answer:
    accept = choose_accept(call.accept, WRITTEN, _default_accept())
    scores = predict(booster, read(call, booster.num_features()))
    return Answer(write(scores, accept), accept)


def read(call: Invocation, columns: int) -> npt.NDArray[np.float64]:
    """Shape (records, columns), absent values NaN; ClientError where the number of columns is another."""
    kind = call.content_type or content.CSV
    if kind in LIBSVM:
        return _libsvm(call.text, columns)
    if kind != content.CSV:
        raise unsupported(kind, READ)
    rows = content.csv_numbers(call.text)
    if rows.shape[1] != columns:
        raise ClientError(
            400,
            f"Unable to evaluate payload provided: Feature size of csv inference data {rows.shape[1]} is not "
            f"consistent with feature size of trained model {columns}. Send the features only, no label.",
        )
    return rows


def predict(booster: xgboost.Booster, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Shape (records,) or (records, classes), with the trees up to the best iteration where one is known."""
    best = booster.attr("best_iteration")
    trees = (0, int(best) + 1) if best is not None else (0, 0)
    try:
        scores = booster.inplace_predict(rows, iteration_range=trees, validate_features=False)
    except (xgboost.core.XGBoostError, NotImplementedError):
        # The linear booster has no prediction in place.
        matrix = xgboost.DMatrix(rows, nthread=1)
        scores = booster.predict(matrix, iteration_range=trees, validate_features=False)
    return np.asarray(scores, dtype=np.float32)


def write(scores: npt.NDArray[np.float32], accept: str) -> bytes:
    if accept == content.CSV and scores.ndim == 1 and len(scores) > MANY:
        lines = content.lines_of(scores)
        return lines if os.environ.get("SAGEMAKER_BATCH") else lines.rstrip(b"\n").replace(b"\n", b",")
    values: Sequence[Any] = scores.tolist()
    if accept == content.CSV:
        # SageMaker's container joins with commas, and by lines only for batch transform.
        if os.environ.get("SAGEMAKER_BATCH"):
            return ("\n".join(map(str, values)) + "\n").encode()
        return ",".join(map(str, values)).encode()
    rows = [{"score": value} for value in values]
    if accept == content.JSON:
        return json.dumps({"predictions": rows}).encode()
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _default_accept() -> str:
    return os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", content.CSV)


def _libsvm(text: str, columns: int) -> npt.NDArray[np.float64]:
    lines = [line.split("#")[0].split() for line in text.splitlines() if line.strip()]
    if not lines:
        raise ClientError(400, "The LIBSVM body is empty; send one line `index:value ...` for each record")
    rows = np.full((len(lines), columns), np.nan)
    for number, pieces in enumerate(lines):
        for piece in pieces:
            if ":" in piece:
                index, value = _pair(piece, number + 1)
                if not 0 <= index < columns:
                    raise ClientError(
                        400,
                        f"LIBSVM record {number + 1}: index {index} is outside the {columns} features "
                        "of the trained model",
                    )
                rows[number, index] = value
    return rows


def _pair(piece: str, record: int) -> tuple[int, float]:
    index, _, value = piece.partition(":")
    try:
        return int(index), float(value)
    except ValueError as error:
        raise ClientError(400, f"LIBSVM record {record}: {piece!r} is not index:value") from error
