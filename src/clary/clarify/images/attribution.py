"""One image explained: for the labels of a classification, or for the objects of a detection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from clary.clarify.config.analysis import Shap
from clary.clarify.config.images import ImageConfig
from clary.clarify.data.columns import Value
from clary.clarify.data.predictions import Prediction, ask, numbers, scores
from clary.clarify.errors import ClarifyError
from clary.clarify.images import detection
from clary.clarify.images.explanation import Attribution, ImageExplanation
from clary.clarify.images.files import Pixels
from clary.clarify.images.masking import MaskedImage
from clary.clarify.images.superpixels import baseline, superpixels
from clary.clarify.shap.coalitions import Floats
from clary.clarify.shap.kernel import output_names

ImagePredict = Callable[[Pixels], Any]
"""A model: n images (n, height, width, 3) in; scores (n, k), or for each image its detected objects, out."""


def explain_image(
    pixels: Pixels,
    predict: ImagePredict,
    settings: Shap,
    label_headers: Sequence[Value] | None = None,
    probability_threshold: float | None = None,
    name: str = "image",
) -> ImageExplanation:
    """Explain what a model sees in one image, by `settings.image_config`.

    A classification is explained for its `max_labels` highest scores; a detection for its `max_objects`
    surest objects (above `probability_threshold`, where there is one). `settings.baseline` is the path of an
    image. `predict` answers scores (n, k); or for each image [[class, score, xmin, ymin, xmax, ymax], ...].
    """
    config = settings.image_config
    if config is None:
        raise ClarifyError("methods.shap.image_config is missing: it says how images are explained.")
    if settings.baseline is not None and not isinstance(settings.baseline, str | Path):
        raise ClarifyError("methods.shap.baseline must be an image file: give its path or S3 URI.")
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ClarifyError(
            f"An image must be bytes (uint8) of shape (height, width, 3), not {pixels.dtype} of shape "
            f"{pixels.shape}."
        )
    rng = np.random.default_rng(settings.seed)
    asked = _Counter(predict)
    game = MaskedImage(
        pixels,
        baseline((pixels.shape[0], pixels.shape[1]), settings.baseline, rng),
        superpixels(pixels, config),
        settings,
        rng,
    )
    if config.detects:
        found = _objects(game, asked, config, label_headers, probability_threshold)
    else:
        found = _labels(game, asked, config, label_headers)
    shape, number = (pixels.shape[0], pixels.shape[1]), int(game.segments.max()) + 1
    return ImageExplanation(name, shape, number, found, asked.images, pixels, game.segments)


class _Counter:
    """The model, and the number of images that it was asked about."""

    def __init__(self, predict: ImagePredict) -> None:
        self.images = 0
        self._predict = predict

    def __call__(self, images: Pixels) -> Any:
        self.images += len(images)
        return self._predict(images)


def _labels(
    game: MaskedImage, predict: ImagePredict, config: ImageConfig, headers: Sequence[Value] | None
) -> list[Attribution]:
    first = ask(predict, game.pixels[None])
    own = numbers(first)[0]
    names = _names(first, len(own), headers)
    top = np.argsort(-own, kind="stable")[: config.max_labels]
    found = game.shapley(lambda images: scores(predict, images)[:, top], game.pixels)
    return [replace(a, label=names[k]) for a, k in zip(found, top, strict=True)]


def _names(first: Prediction, number: int, headers: Sequence[Value] | None) -> list[str]:
    """The labels' names; the one that the model itself names is called so where there are no headers."""
    names = output_names(number, headers)
    if headers is None and first.labels is not None and first.scores is not None:
        names[int(first.scores[0].argmax())] = str(first.labels[0])
    return names


def _objects(
    game: MaskedImage,
    predict: ImagePredict,
    config: ImageConfig,
    headers: Sequence[Value] | None,
    threshold: float | None,
) -> list[Attribution]:
    table = detection.detections(_answers(predict, game.pixels[None])[0])
    objects = detection.chosen(table, config.max_objects, threshold)
    together = [objects] if config.context == 1 else [[thing] for thing in objects]
    found = []
    for group in together if objects else []:
        seen = game.pixels if config.context == 1 else _seen(game, group[0], config.context)
        found += game.shapley(partial(_sureness, predict, group, config.iou_threshold), seen)
    names = [_class_name(thing.class_id, headers) for thing in objects]
    return [replace(a, label=name, box=o.box) for a, name, o in zip(found, names, objects, strict=True)]


def _sureness(
    predict: ImagePredict, objects: Sequence[detection.Detected], iou_threshold: float, images: Pixels
) -> Floats:
    return detection.scores_of(objects, _answers(predict, images), iou_threshold)


def _answers(predict: ImagePredict, images: Pixels) -> Sequence[Any]:
    answers: Sequence[Any] = predict(images)
    if len(answers) != len(images):
        raise ClarifyError(f"The model answered detections of {len(answers)} images for {len(images)}.")
    return answers


def _seen(game: MaskedImage, thing: detection.Detected, context: float) -> Pixels:
    """The image within the object's window, the baseline around it."""
    height, width = game.segments.shape
    within = detection.window(thing.box, context, height, width)
    seen = game.baseline.copy()
    seen[within] = game.pixels[within]
    return seen


def _class_name(class_id: int, headers: Sequence[Value] | None) -> str:
    if headers is None:
        return f"label{class_id}"
    if class_id >= len(headers):
        raise ClarifyError(f"label_headers has {len(headers)} names, but the model detects class {class_id}.")
    return str(headers[class_id])
