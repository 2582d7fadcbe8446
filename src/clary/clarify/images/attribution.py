"""Kernel SHAP over an image's superpixels: what each adds to a label's score, or to an object's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from clary.clarify.coalitions import Flags, Floats, attribute, design
from clary.clarify.columns import Value
from clary.clarify.config import Shap
from clary.clarify.config_images import ImageConfig
from clary.clarify.errors import ClarifyError
from clary.clarify.game import logits
from clary.clarify.images import detection
from clary.clarify.images.files import Pixels
from clary.clarify.images.superpixels import Segments, baseline, superpixels
from clary.clarify.kernel_shap import output_names
from clary.clarify.predictions import Prediction, ask, numbers, scores

ImagePredict = Callable[[Pixels], Any]
"""A model: n images (n, height, width, 3) in; scores (n, k), or for each image its detected objects, out."""

CHUNK_BYTES = 64_000_000
"""Of masked images in memory at a time."""


@dataclass(frozen=True)
class Attribution:
    """One explained label or object: `expected` (the baseline's score) and the values add up to the score."""

    label: str
    score: float
    expected: float
    values: Floats
    """Of each superpixel."""
    errors: Floats
    """Standard errors by the coalitions that were drawn; 0 where exact, NaN where too few tell of it."""
    box: tuple[float, float, float, float] | None = None

    @property
    def efficiency_gap(self) -> float:
        return abs(float(self.values.sum()) + self.expected - self.score)


@dataclass(frozen=True)
class ImageExplanation:
    name: str
    shape: tuple[int, int]
    """Height and width."""
    superpixels: int
    attributions: list[Attribution]
    evaluations: int
    """How many images the model was asked about."""
    pixels: Pixels
    segments: Segments

    def undrawable(self) -> ImageExplanation:
        """The same without what takes memory and only drawing needs."""
        return replace(self, pixels=self.pixels[:0, :0], segments=self.segments[:0, :0])

    def stems(self) -> list[str]:
        """The file names, without ends, of what was found: shap_<image>_<label>, or _box<n> for objects."""
        names = [re.sub(r"[^\w.-]+", "_", found.label) for found in self.attributions]
        if any(found.box is not None for found in self.attributions) or len(set(names)) < len(names):
            names = [f"{'box' if a.box else 'label'}{i}" for i, a in enumerate(self.attributions, 1)]
        return [f"shap_{self.name}_{name}" for name in names]

    def in_json(self) -> dict[str, Any]:
        height, width = self.shape
        return {
            "image": self.name,
            "width": width,
            "height": height,
            "segments": self.superpixels,
            "explained": [_in_json(a, s) for a, s in zip(self.attributions, self.stems(), strict=True)],
        }


def _in_json(found: Attribution, stem: str) -> dict[str, Any]:
    return {
        "label": found.label,
        "score": found.score,
        "expected_value": found.expected,
        **({} if found.box is None else {"bounding_box": list(found.box)}),
        "segment_shap_values": found.values.tolist(),
        "standard_errors": [float(e) if np.isfinite(e) else None for e in found.errors],
        "heat_map": f"{stem}.jpeg",
    }


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
    rng = np.random.default_rng(settings.seed)
    asked = _Counter(predict)
    game = _Game(
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
    """The model, and about how many images it was asked."""

    def __init__(self, predict: ImagePredict) -> None:
        self.images = 0
        self._predict = predict

    def __call__(self, images: Pixels) -> Any:
        self.images += len(images)
        return self._predict(images)


@dataclass(frozen=True)
class _Game:
    """The superpixels are the players: known, or as in the baseline."""

    pixels: Pixels
    baseline: Pixels
    segments: Segments
    settings: Shap
    rng: np.random.Generator

    def shapley(self, score: Callable[[Pixels], Floats], seen: Pixels) -> list[Attribution]:
        """One for each of the k scores. `seen` is the image, or what is left of it within a window."""
        if self.settings.use_logit:
            score = partial(_logits_of, score)
        expected, own = score(np.stack([self.baseline, seen]))
        values = np.zeros((int(self.segments.max()) + 1, len(own)))
        errors = np.zeros_like(values)
        playing = np.unique(self.segments[(seen != self.baseline).any(axis=-1)])
        if len(playing) == 1:
            values[playing] = own - expected
        elif len(playing) > 1:
            samples = self.settings.num_samples or 2 * len(playing) + 2048
            plan = design(len(playing), samples, self.rng)
            known = np.ones((len(plan.coalitions), len(values)), dtype=bool)
            known[:, playing] = plan.coalitions
            answers = np.concatenate([score(images) for images in self._masked(seen, known)])
            found, variances = attribute(plan, (answers - expected)[None], (own - expected)[None])
            values[playing], errors[playing] = found[0], np.sqrt(variances[0])
        return [
            Attribution("", float(own[k]), float(expected[k]), values[:, k], errors[:, k])
            for k in range(len(own))
        ]

    def _masked(self, seen: Pixels, known: Flags) -> Iterator[Pixels]:
        """The images in which the known superpixels are as they are, as many at a time as fit into memory."""
        height = max(1, CHUNK_BYTES // seen.nbytes)
        owner = np.repeat(self.segments.astype(np.intp).ravel(), 3)
        behind, difference = self.baseline.ravel(), (seen ^ self.baseline).ravel()
        # Several times as fast as np.where: what differs from the baseline is put on it, or not, bit by bit.
        bits = np.where(known, 255, 0).astype(np.uint8)
        for start in range(0, len(known), height):
            images = bits[start : start + height].take(owner, axis=1)
            images &= difference
            images ^= behind
            yield images.reshape(-1, *seen.shape)


def _logits_of(score: Callable[[Pixels], Floats], images: Pixels) -> Floats:
    return logits(score(images))


def _labels(
    game: _Game, predict: ImagePredict, config: ImageConfig, headers: Sequence[Value] | None
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
    game: _Game,
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


def _seen(game: _Game, thing: detection.Detected, context: float) -> Pixels:
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
