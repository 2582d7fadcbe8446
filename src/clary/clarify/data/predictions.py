"""What a model answers, as scores for the explanations and as labels for the bias metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.data.columns import Column, Value, canonical
from clary.clarify.data.selection import column_is_continuous
from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.contrast import Flags


@dataclass(frozen=True)
class Prediction:
    """A model's answer for n rows: labels (n,) and scores (n, k), each where the model gives them."""

    labels: NDArray[Any] | None = None
    scores: NDArray[np.float64] | None = None


Predict = Callable[[pd.DataFrame], "Prediction | NDArray[Any]"]
"""A model: features in, one answer for each row out. A plain array of numbers is taken as scores."""
Rows = TypeVar("Rows", bound=Sized)
"""What a model is asked about: a table, or images."""


def together(parts: Sequence[Prediction]) -> Prediction:
    """The answers of several calls as one."""

    def join(arrays: list[NDArray[Any] | None]) -> NDArray[Any] | None:
        return (
            None if any(a is None for a in arrays) else np.concatenate([a for a in arrays if a is not None])
        )

    return Prediction(join([part.labels for part in parts]), join([part.scores for part in parts]))


def ask(predict: Callable[[Rows], Any], features: Rows) -> Prediction:
    """Call the model and check its answer."""
    prediction = _answer(predict, features)
    for part in (prediction.labels, prediction.scores):
        if part is not None and len(part) != len(features):
            raise ClarifyError(f"The model answered {len(part)} predictions for {len(features)} rows.")
    found = prediction.scores
    if found is not None and not (np.abs(found) < LARGEST).all():
        what = "scores beyond 1e100" if np.isfinite(found).all() else "NaN or infinite scores"
        raise ClarifyError(f"The model answered {what}: every row needs a finite number.")
    return prediction


LARGEST = 1e100
"""Sums and squares of scores must stay finite."""


def _answer(predict: Callable[[Rows], Any], features: Rows) -> Prediction:
    try:
        answer = predict(features)
    except ClarifyError:
        raise
    except Exception as error:
        raise ClarifyError(
            f"The model failed on {len(features)} rows: {type(error).__name__}: {error}"
        ) from error
    if isinstance(answer, Prediction):
        return answer
    try:
        array = np.asarray(answer)
        if array.ndim in (1, 2) and array.size:
            return _from_array(array)
    except (TypeError, ValueError):
        array = np.asarray(None)
    what = f"{array.ndim} dimensions" if array.ndim > 2 else f"{answer!r:.80}"
    raise ClarifyError(
        f"The model answered {what} for {len(features)} rows: give one number or label for each row, or one "
        "row of equally many numbers."
    )


def _from_array(answer: NDArray[Any]) -> Prediction:
    try:
        numbers = answer.astype(float)
    except ValueError:
        return Prediction(labels=answer.reshape(len(answer), -1)[:, 0])
    return Prediction(scores=numbers.reshape(len(numbers), -1))


def scores(predict: Callable[[Rows], Any], features: Rows) -> NDArray[np.float64]:
    """The model's scores, shape (rows, outputs)."""
    return numbers(ask(predict, features))


def numbers(prediction: Prediction) -> NDArray[np.float64]:
    """The scores of an answer; ClarifyError where it has only labels."""
    if prediction.scores is None:
        raise ClarifyError(
            "SHAP explains numbers, but the model answers labels only: set predictor.probability "
            "to where the "
            "scores are in its answer."
        )
    return prediction.scores


def labels(
    prediction: Prediction,
    label: Column,
    positive: Sequence[Value],
    threshold: float | None,
    label_headers: Sequence[Value] | None,
) -> Column | Flags:
    """Predicted labels comparable with the data's `label` (or flags, True = positive).

    Labels that the model gives are taken as they are. Of several scores the largest wins and is called by
    `label_headers` (0, 1, ... without). One score is: a predicted quantity where the label is one; the label
    itself where it is always one of the label's values; else a probability, positive above `threshold`
    (0.5 by default).
    """
    if prediction.labels is not None:
        return pd.Series(prediction.labels, name="predicted label").infer_objects()
    if prediction.scores is None:
        raise ClarifyError("The model's answer has neither labels nor scores.")
    if prediction.scores.shape[1] > 1:
        return _largest(prediction.scores, label_headers)
    return _from_one_score(prediction.scores[:, 0], label, positive, threshold, label_headers)


def _largest(values: NDArray[np.float64], label_headers: Sequence[Value] | None) -> Column:
    headers = list(range(values.shape[1])) if label_headers is None else list(label_headers)
    if len(headers) != values.shape[1]:
        raise ClarifyError(f"label_headers has {len(headers)} names for {values.shape[1]} scores.")
    return pd.Series([headers[i] for i in values.argmax(axis=1)], name="predicted label")


ZERO_OR_ONE = {0.0, 1.0, "false", "true"}


def _from_one_score(
    score: NDArray[np.float64],
    label: Column,
    positive: Sequence[Value],
    threshold: float | None,
    label_headers: Sequence[Value] | None,
) -> Column | Flags:
    if label_headers is not None and len(label_headers) != 1:
        raise ClarifyError(f"label_headers has {len(label_headers)} names, but the model answers one score.")
    if column_is_continuous(label, positive):
        return pd.Series(score, name="predicted label")
    values = {canonical(v) for v in label.unique()}
    if label_headers is None and threshold is None and set(np.unique(score)) <= values:
        return pd.Series(score, name="predicted label")
    above = score > (0.5 if threshold is None else threshold)
    wanted = {canonical(v) for v in positive}
    if label_headers is not None:
        return np.asarray(above == (canonical(label_headers[0]) in wanted))
    if len(values) == 1 and values <= ZERO_OR_ONE:
        return np.asarray(above == bool(wanted & {1.0, "true"}))  # the data has no word for the other label
    if values <= ZERO_OR_ONE:
        return pd.Series(above.astype(int) if values <= {0.0, 1.0} else above, name="predicted label")
    if score.min() < 0 or score.max() > 1:
        raise ClarifyError(
            f"The model's scores run from {score.min():g} to {score.max():g}, so they are no "
            "probabilities, and "
            "they are none of the label's values: set predictor.label to where the label is in the answer."
        )
    return above


def positive_scores(
    prediction: Prediction,
    label: Column,
    positive: Sequence[Value],
    label_headers: Sequence[Value] | None,
) -> NDArray[np.float64] | None:
    """One number for each row that grows with its chance of a positive label; None where there is none."""
    scores = prediction.scores
    if scores is None or column_is_continuous(label, positive):
        return None
    wanted = {canonical(v) for v in positive}
    if scores.shape[1] > 1:
        headers = range(scores.shape[1]) if label_headers is None else label_headers
        summed = scores[:, [canonical(h) in wanted for h in headers]].sum(axis=1)
        return np.asarray(summed, dtype=np.float64)
    negative = label_headers is not None and canonical(label_headers[0]) not in wanted
    return 1 - scores[:, 0] if negative else scores[:, 0]
