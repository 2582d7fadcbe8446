"""Detected objects: which are explained, and how sure a model is of them once a part of the image is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clary.clarify.errors import ClarifyError
from clary.clarify.shap.coalitions import Floats

CLASS, SCORE, BOX = 0, 1, slice(2, 6)


@dataclass(frozen=True)
class Detected:
    """Box corners are shares of the image's width and height: left, top, right, bottom."""

    class_id: int
    score: float
    box: tuple[float, float, float, float]


def detections(answer: Any) -> Floats:
    """One image's answer as a table of class, score, xmin, ymin, xmax, ymax; places without an object go."""
    try:
        table = np.asarray(answer, dtype=float)
    except (TypeError, ValueError) as error:
        raise ClarifyError(_WRONG) from error
    if table.size == 0:
        return np.zeros((0, 6))
    if table.ndim != 2 or table.shape[1] != 6 or not np.isfinite(table).all():
        raise ClarifyError(_WRONG)
    if np.abs(table[:, BOX]).max() > _FAR_OUTSIDE:
        raise ClarifyError(
            f"The model answered a box of {table[0, BOX].tolist()}: corners must be shares of the image's "
            "width and height, between 0 and 1."
        )
    return table[table[:, CLASS] >= 0]


_WRONG = (
    "The model's detections are not lists of six numbers (class, score, xmin, ymin, xmax, ymax) for each "
    "image: set predictor.probability to where they are in its answer."
)
_FAR_OUTSIDE = 2.0
"""Models let boxes reach a little over the edge; above this they are pixels."""


def chosen(table: Floats, max_objects: int, threshold: float | None) -> list[Detected]:
    """The surest objects; with a threshold only those above it."""
    kept = table if threshold is None else table[table[:, SCORE] > threshold]
    order = np.argsort(-kept[:, SCORE], kind="stable")[:max_objects]
    return [Detected(int(row[CLASS]), float(row[SCORE]), tuple(row[BOX].tolist())) for row in kept[order]]


def scores_of(objects: Sequence[Detected], answers: Sequence[Any], iou_threshold: float) -> Floats:
    """For n answers and k objects, (n, k): the best score of the same class at about the same place, or 0."""
    found = np.zeros((len(answers), len(objects)))
    for i, answer in enumerate(answers):
        table = detections(answer)
        for k, thing in enumerate(objects):
            fits = (table[:, CLASS] == thing.class_id) & (overlap(table[:, BOX], thing.box) >= iou_threshold)
            found[i, k] = table[fits, SCORE].max(initial=0.0)
    return found


def overlap(boxes: Floats, box: Sequence[float]) -> Floats:
    """Intersection over union of each box with one."""
    one = np.asarray(box)
    sides = np.minimum(boxes[:, 2:], one[2:]) - np.maximum(boxes[:, :2], one[:2])
    common = sides.clip(min=0).prod(axis=1)
    together = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) + (one[2:] - one[:2]).prod() - common
    return np.asarray(np.divide(common, together, out=np.zeros(len(boxes)), where=together > 0))


def window(box: Sequence[float], context: float, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the box, with the share `context` of what lies between it and the image's edges."""
    left, top, right, bottom = np.clip(box, 0, 1)
    keep = 1 - context
    rows = slice(int(np.floor(keep * top * height)), int(np.ceil((bottom + context * (1 - bottom)) * height)))
    columns = slice(int(np.floor(keep * left * width)), int(np.ceil((right + context * (1 - right)) * width)))
    return rows, columns
