"""An image cut into superpixels by SLIC, and what stands in the place of one that is not known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clary.clarify.config.images import ImageConfig
from clary.clarify.errors import ClarifyError
from clary.clarify.images.files import EXTRA, Pixels, read, resized

Segments = NDArray[np.int32]
"""Shape (height, width): the number of each pixel's superpixel, from 0 without gaps."""


def superpixels(pixels: Pixels, settings: ImageConfig) -> Segments:
    """Every pixel belongs to exactly one of about `num_segments` parts; one part where SLIC finds no edge."""
    try:
        from skimage.segmentation import slic
    except ImportError as error:
        raise ClarifyError(EXTRA) from error
    height, width = pixels.shape[:2]
    if height * width == 1:
        return np.zeros((1, 1), dtype=np.int32)
    found = slic(
        pixels,
        n_segments=min(settings.num_segments, height * width),
        compactness=settings.segment_compactness,
        start_label=0,
        channel_axis=-1,
    )
    _, numbers = np.unique(found, return_inverse=True)
    return numbers.reshape(height, width).astype(np.int32)


def baseline(shape: tuple[int, int], given: str | Path | None, rng: np.random.Generator) -> Pixels:
    """The given image at the size of the explained one; by default white noise, as Clarify has it."""
    height, width = shape
    if given is None:
        return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return resized(read(Path(given)), height, width)
