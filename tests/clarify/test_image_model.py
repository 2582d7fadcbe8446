"""What is sent to a model about images, and what is read of its answer, in each of Clarify's formats."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clary.clarify import ClarifyError
from clary.clarify.config.analysis import parse
from clary.containers.clarify.image_model import ImageModel
from clary.containers.clarify.payload import Codec

IMAGES = np.random.default_rng(4).integers(0, 256, (10, 30, 40, 3), dtype=np.uint8)


def model(send: Callable[[bytes, str], bytes], detects: bool = False, **predictor: Any) -> ImageModel:
    kind = "OBJECT_DETECTION" if detects else "IMAGE_CLASSIFICATION"
    config = {
        "dataset_type": "application/x-image",
        "methods": {"shap": {"image_config": {"model_type": kind}}},
        "predictor": {"endpoint_name": "e", **predictor},
    }
    return ImageModel(send, Codec.of(parse(config)), detects, 4)


@pytest.mark.parametrize(
    ("kind", "form", "far"),
    [(None, "JPEG", 60), ("image/jpg", "JPEG", 60), ("image/jpeg", "JPEG", 60), ("image/png", "PNG", 0)],
)
def test_a_request_holds_one_file(kind: str | None, form: str, far: int) -> None:
    sent: list[Any] = []

    def send(body: bytes, what: str) -> bytes:
        assert what == "an image of 40 x 30 pixels"
        image = Image.open(io.BytesIO(body))
        assert image.format == form
        sent.append(np.asarray(image))
        return json.dumps([0.25, 0.75]).encode()

    content = {} if kind is None else {"content_type": kind}
    asked = model(send, **content)
    assert asked.codec.accept == "application/json"
    assert asked(IMAGES).scores.tolist() == [[0.25, 0.75]] * 10
    assert len(sent) == 10
    nearest = [min(np.abs(image.astype(int) - got).max() for got in sent) for image in IMAGES]
    assert max(nearest) <= far


def test_arrays_hold_many_images_in_their_order() -> None:
    shapes = []

    def send(body: bytes, what: str) -> bytes:
        images = np.load(io.BytesIO(body))
        shapes.append(images.shape)
        return json.dumps([[float(image.sum())] for image in images]).encode()

    found = model(send, content_type="application/x-npy")(IMAGES)
    assert found.scores[:, 0].tolist() == IMAGES.sum(axis=(1, 2, 3)).tolist()
    assert sorted(shapes) == [(1, 30, 40, 3), (3, 30, 40, 3), (3, 30, 40, 3), (3, 30, 40, 3)]


def test_large_images_are_fewer_to_a_request_and_too_large_ones_are_refused() -> None:
    sizes = []

    def send(body: bytes, what: str) -> bytes:
        sizes.append(len(body))
        return json.dumps([[1.0]] * len(np.load(io.BytesIO(body)))).encode()

    asked = model(send, content_type="application/x-npy")
    asked(np.zeros((24, 600, 800, 3), dtype=np.uint8))
    assert max(sizes) < 4_500_000 and len(sizes) == 8
    with pytest.raises(ClarifyError, match="2000 x 1000 pixels makes a request of 6,000,128 bytes"):
        asked(np.zeros((1, 1000, 2000, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("predictor", "answer", "scores"),
    [
        ({}, b"[0.1, 0.6, 0.3]", [0.1, 0.6, 0.3]),
        ({}, b"[[0.1, 0.6, 0.3]]", [0.1, 0.6, 0.3]),
        ({}, b"[0.7]", [0.7]),
        ({}, b"0.7", [0.7]),
        ({"probability": "[*]"}, b"[0.1, 0.6, 0.3]", [0.1, 0.6, 0.3]),
        ({"probability": "prediction"}, b'{"prediction": [0.1, 0.9]}', [0.1, 0.9]),
        ({"accept_type": "application/jsonlines", "probability": "p"}, b'{"p": [0.1, 0.9]}\n', [0.1, 0.9]),
        ({"accept_type": "text/csv"}, b"0.1,0.9\n", [0.1, 0.9]),
    ],
)
def test_scores_are_read_as_configured(predictor: dict[str, Any], answer: bytes, scores: list[float]) -> None:
    found = model(lambda body, what: answer, **predictor)(IMAGES[:1])
    assert found.scores.tolist() == [scores]


OBJECTS = [[4.0, 0.86, 0.3, 0.07, 0.71, 0.93], [0.0, 0.73, 0.57, 0.4, 0.82, 0.97]]


@pytest.mark.parametrize(
    ("predictor", "answer"),
    [
        ({}, OBJECTS),
        ({}, [OBJECTS]),
        ({"probability": "prediction"}, {"prediction": OBJECTS}),
        ({"content_type": "application/x-npy"}, [OBJECTS]),
        ({"content_type": "application/x-npy", "probability": "prediction"}, {"prediction": [OBJECTS]}),
    ],
)
def test_objects_are_read_in_each_documented_form(predictor: dict[str, Any], answer: Any) -> None:
    asked = model(lambda body, what: json.dumps(answer).encode(), detects=True, **predictor)
    assert asked(IMAGES[:1]) == [OBJECTS]


@pytest.mark.parametrize("answer", [[], [[]]])
def test_an_image_without_objects(answer: Any) -> None:
    assert model(lambda body, what: json.dumps(answer).encode(), detects=True)(IMAGES[:1]) == [[]]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"<html>busy</html>", "not application/json"),
        (b'{"prediction": []}', "set predictor.probability to the key"),
    ],
)
def test_answers_without_objects_to_read_are_told(answer: bytes, says: str) -> None:
    with pytest.raises(ClarifyError, match=says):
        model(lambda body, what: answer, detects=True)(IMAGES[:1])
