"""A model that is asked about images: one JPEG or PNG a request, or many images as one NumPy array."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from clary.clarify.config.analysis import AnalysisConfig
from clary.clarify.data.dataset import find
from clary.clarify.data.predictions import together
from clary.clarify.errors import ClarifyError
from clary.clarify.images.attribution import ImagePredict
from clary.clarify.images.files import Pixels
from clary.containers.clarify.archive import Archive
from clary.containers.clarify.endpoint import LARGEST_BODY, Endpoint
from clary.containers.clarify.payload import Codec

NPY = "application/x-npy"
HEADER = 256
"""More than NumPy writes before the values."""
QUALITY = 95
"""Of JPEG: a masked image has sharp edges, which must not leak into their neighbours."""


@dataclass(frozen=True)
class ImageModel:
    """`send` takes a body, and what it asks about, and gives the answer."""

    send: Callable[[bytes, str], bytes]
    codec: Codec
    detects: bool
    parallel: int

    def __call__(self, images: Pixels) -> Any:
        """Predictions for a classification; for a detection, each image's objects."""
        size = self._images_each(images)
        parts = [images[i : i + size] for i in range(0, len(images), size)]
        with ThreadPoolExecutor(self.parallel) as pool:
            if self.detects:
                return [found for answer in pool.map(self._detect, parts) for found in answer]
            return together(list(pool.map(self._classify, parts)))

    def _images_each(self, images: Pixels) -> int:
        if self.codec.content_type != NPY:
            return 1
        fit = (LARGEST_BODY - HEADER) // int(images[0].nbytes)
        return max(1, min(fit, -(-len(images) // self.parallel)))

    def _classify(self, images: Pixels) -> Any:
        return self.codec.decode(self._ask(images), len(images))

    def _detect(self, images: Pixels) -> list[Any]:
        return _objects(self._ask(images), len(images), self.codec.predictor.probability)

    def _ask(self, images: Pixels) -> bytes:
        body = encode(images, self.codec.content_type)
        height, width = images.shape[1:3]
        if len(body) > LARGEST_BODY:
            raise ClarifyError(
                f"An image of {width} x {height} pixels makes a request of {len(body):,} bytes as "
                f"{self.codec.content_type}, but an endpoint takes {LARGEST_BODY:,}: make the image smaller"
                + ("." if self.codec.content_type == "image/jpeg" else ", or use image/jpeg.")
            )
        number = f"{len(images)} images" if len(images) > 1 else "an image"
        return self.send(body, f"{number} of {width} x {height} pixels")


def of_images(model: Endpoint | Archive, config: AnalysisConfig) -> ImagePredict:
    """The same model, asked about images."""
    detects = config.images is not None and config.images.detects
    return ImageModel(model.send, model.codec, detects, model.requests)


def encode(images: Pixels, content_type: str) -> bytes:
    """A body: of all images as one array (n, height, width, 3), or of the only one as a file."""
    stream = io.BytesIO()
    if content_type == NPY:
        np.save(stream, images, allow_pickle=False)
        return stream.getvalue()
    from PIL import Image

    image = Image.fromarray(images[0])
    if content_type == "image/png":
        image.save(stream, "PNG", compress_level=1)
    else:
        image.save(stream, "JPEG", quality=QUALITY, subsampling=0)
    return stream.getvalue()


def _objects(body: bytes, images: int, path: str | int | None) -> list[Any]:
    """Each image's list of objects; a single image may be answered by its own list or by a batch of one."""
    try:
        document = json.loads(body)
    except ValueError as error:
        shown = body[:80].decode(errors="replace")
        raise ClarifyError(f"The model's answer is not application/json: {shown!r}.") from error
    found = document if path is None else find(str(path), document)
    if isinstance(found, dict):
        raise ClarifyError(
            f"The model answers an object with {', '.join(map(repr, found))}: set predictor.probability to "
            "the key of its detections."
        )
    if images == 1 and not _is_batch(found):
        return [found]
    if not isinstance(found, list):
        raise ClarifyError(f"The model's detections are not a list, but {found!r:.80}.")
    return found


def _is_batch(found: Any) -> bool:
    """[[[class, ...], ...]] or [[]], not [[class, ...], ...] or []."""
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], list):
        return False
    return not found[0] or isinstance(found[0][0], list)
