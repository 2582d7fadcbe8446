"""Detected objects explained: a detector of bright squares, whose reasons are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from clary import clarify
from clary.clarify import ImageConfig, Shap
from clary.clarify.images.detection import overlap

HEIGHT, WIDTH = 60, 90
SQUARES = {0: (slice(6, 22), slice(8, 24)), 1: (slice(30, 52), slice(50, 72))}
"""Red and green ones, by their class."""


def scene() -> Any:
    pixels = np.full((HEIGHT, WIDTH, 3), 40, dtype=np.uint8)
    for channel, at in SQUARES.items():
        pixels[(*at, channel)] = 250
    pixels[40:56, 4:20, 2] = 255  # a blue one is no object
    return pixels


def detector(images: Any) -> list[list[list[float]]]:
    """Every connected red or green patch, as sure as it is large; class -1 where there is nothing."""
    answers = []
    for image in images:
        found = []
        for channel in SQUARES:
            labels, number = ndimage.label(image[..., channel] > 200)
            for rows, columns in ndimage.find_objects(labels)[:number]:
                sure = min(1.0, (rows.stop - rows.start) * (columns.stop - columns.start) / 500)
                corners = (
                    columns.start / WIDTH,
                    rows.start / HEIGHT,
                    columns.stop / WIDTH,
                    rows.stop / HEIGHT,
                )
                found.append([float(channel), sure, *corners])
        answers.append(found or [[-1.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    return answers


def explained(tmp_path: Path, threshold: float | None = None, headers: Any = None, **more: Any) -> Any:
    Image.new("RGB", (4, 4)).save(tmp_path / "black.png")
    config = ImageConfig("OBJECT_DETECTION", **{"num_segments": 30, **more})
    settings = Shap(baseline=str(tmp_path / "black.png"), num_samples=400, seed=1, image_config=config)
    return clarify.explain_image(scene(), detector, settings, headers, threshold)


def test_an_object_is_there_because_of_its_own_pixels(tmp_path: Path) -> None:
    found = explained(tmp_path)
    assert [a.label for a in found.attributions] == ["label1", "label0"]
    for attribution, channel in zip(found.attributions, (1, 0), strict=True):
        assert attribution.box == pytest.approx(detector([scene()])[0][channel][2:])
        own = np.unique(found.segments[SQUARES[channel]])
        others = np.setdiff1d(np.arange(found.superpixels), own)
        assert attribution.expected == 0
        assert attribution.values.sum() == pytest.approx(attribution.score)
        assert attribution.values[own].sum() == pytest.approx(attribution.score)
        assert np.abs(attribution.values[others]).max() < 1e-12


def test_the_surest_objects_are_explained_and_called_by_their_names(tmp_path: Path) -> None:
    one = explained(tmp_path, headers=["red", "green"], max_objects=1)
    assert [a.label for a in one.attributions] == ["green"]
    assert [a.label for a in explained(tmp_path, threshold=0.9).attributions] == ["label1"]
    assert explained(tmp_path, threshold=1.0).attributions == []
    with pytest.raises(clarify.ClarifyError, match="1 names, but the model detects class 1"):
        explained(tmp_path, headers=["red"])


def test_a_stricter_threshold_of_overlap_finds_the_object_in_fewer_coalitions(tmp_path: Path) -> None:
    """Half of the square's pixels make a smaller box: it counts at 0.2, not at 0.9."""
    loose, strict = (
        explained(tmp_path, iou_threshold=t, num_segments=120).attributions[0] for t in (0.2, 0.9)
    )
    assert loose.score == strict.score
    assert loose.values.max() < strict.values.max() + 1e-12
    assert not np.allclose(loose.values, strict.values)


@pytest.mark.parametrize("context", [0.0, 0.5])
def test_without_context_nothing_around_the_box_plays(tmp_path: Path, context: float) -> None:
    """A model that is surer of a square where it sees blue somewhere."""

    def homesick(images: Any) -> Any:
        blue = (images[..., 2] > 200).any(axis=(1, 2))
        return [
            [[o[0], o[1] * (0.5 + 0.5 * b), *o[2:]] for o in answer]
            for answer, b in zip(detector(images), blue, strict=True)
        ]

    Image.new("RGB", (4, 4)).save(tmp_path / "black.png")
    config = ImageConfig("OBJECT_DETECTION", num_segments=30, context=context, max_objects=1)
    settings = Shap(baseline=str(tmp_path / "black.png"), num_samples=300, seed=1, image_config=config)
    (found,) = clarify.explain_image(scene(), homesick, settings).attributions
    whole = explained(tmp_path).attributions[0]
    assert found.score == pytest.approx(whole.score * 0.5)
    blue = np.unique(explained(tmp_path).segments[40:56, 4:20])
    assert np.abs(found.values[blue]).max() < 1e-12
    config = ImageConfig("OBJECT_DETECTION", num_segments=30, max_objects=1)
    (aware,) = clarify.explain_image(scene(), homesick, replace(settings, image_config=config)).attributions
    assert aware.values[blue].sum() > 0.1


def test_overlap_is_intersection_over_union() -> None:
    boxes = np.array([[0, 0, 2, 2], [1, 1, 3, 3], [2, 2, 4, 4], [0, 0, 0, 0]], dtype=float)
    assert overlap(boxes, (0, 0, 2, 2)).tolist() == pytest.approx([1, 1 / 7, 0, 0])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ([[1.0, 0.5]], "lists of six numbers"),
        ([["cat", 0.5, 0, 0, 1, 1]], "lists of six numbers"),
        ([[1, 0.5, 10, 20, 200, 300]], "shares of the image's width and height"),
    ],
)
def test_answers_that_are_no_detections_are_told(answer: Any, says: str) -> None:
    settings = Shap(image_config=ImageConfig("OBJECT_DETECTION"))
    with pytest.raises(clarify.ClarifyError, match=says):
        clarify.explain_image(scene(), lambda images: [answer] * len(images), settings)


def test_the_files_are_called_as_clarify_calls_them(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(scene()).save(tmp_path / "in/squares.png")
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "in/void.png")
    image_config = {
        "model_type": "OBJECT_DETECTION",
        "num_segments": 20,
        "iou_threshold": 0.3,
        "context": 1.0,
    }
    config = {
        "dataset_type": "application/x-image",
        "probability_threshold": 0.2,
        "methods": {
            "shap": {"num_samples": 60, "seed": 1, "image_config": image_config},
            "report": {"name": "report"},
        },
        "predictor": {"label_headers": ["red", "green"]},
    }
    out = tmp_path / "out"
    analysis = clarify.analyze(config, tmp_path / "in", detector, out)
    assert sorted(path.name for path in out.glob("*.jpeg")) == [
        "shap_squares_box1.jpeg",
        "shap_squares_box2.jpeg",
        "squares_objects.jpeg",
        "void_objects.jpeg",
    ]
    squares, void = analysis["explanations"]["images"]
    assert [found["label"] for found in squares["explained"]] == ["green", "red"]
    assert void["explained"] == []
    page = (out / "report.html").read_text()
    assert "finds no object in this image" in page
    assert page.count('class="box"') == 2
