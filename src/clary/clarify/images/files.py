"""Image files as arrays of red, green and blue, whatever the file holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clary.clarify.data.dataset import files_below
from clary.clarify.errors import ClarifyError

if TYPE_CHECKING:
    from PIL import Image

Pixels = NDArray[np.uint8]
"""Shape (height, width, 3), or (n, height, width, 3) for n images."""

SUFFIXES = (".jpg", ".jpeg", ".png")
MAX_PIXELS = 25_000_000
"""The largest image: 25 megapixels, 75 MB of values."""
EXTRA = "Images need Pillow and scikit-image: install them by pip install 'clary[images]'."


@dataclass(frozen=True)
class Source:
    """An image file and the name that its results are called by: no two have the same."""

    path: Path
    name: str


def sources(folder: Path) -> list[Source]:
    """The image files at a path, in order; other files beside them are passed over."""
    paths = [path for path in files_below(folder) if path.suffix.lower() in SUFFIXES]
    if not paths:
        raise ClarifyError(f"There is no image at {folder}: give files that end in {', '.join(SUFFIXES)}.")
    root = folder if folder.is_dir() else folder.parent
    return [Source(path, name) for path, name in zip(paths, _names(paths, root), strict=True)]


def checked(folder: Path) -> list[Source]:
    """The same, every file read once: a broken one is told before a model is started."""
    found = sources(folder)
    for source in found:
        read(source.path)
    return found


def _names(paths: Sequence[Path], root: Path) -> list[str]:
    """File names without their ends; longer where two would be the same."""
    short = [path.stem for path in paths]
    longer = ["_".join(path.relative_to(root).with_suffix("").parts) for path in paths]
    whole = ["_".join(path.relative_to(root).parts) for path in paths]
    for names in (short, longer):
        if len(set(names)) == len(names):
            return names
    return [name if Counter(longer)[name] == 1 else full for name, full in zip(longer, whole, strict=True)]


def read(path: Path) -> Pixels:
    """The file as people see it: upright, transparency on white, every mode made red, green and blue."""
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise ClarifyError(EXTRA) from error
    try:
        with Image.open(path) as image:
            _check_size(image.size, path)
            return _rgb(ImageOps.exif_transpose(image))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, ClarifyError):
            raise
        reason = "no image in it" if isinstance(error, UnidentifiedImageError) else str(error)
        raise ClarifyError(
            f"{path.name} cannot be read as an image ({reason}): replace or remove it."
        ) from error


def _check_size(size: tuple[int, int], path: Path) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise ClarifyError(
            f"{path.name} has {width:,} x {height:,} pixels; at most {MAX_PIXELS:,} can be explained: "
            "make it smaller."
        )


def _rgb(image: Image.Image) -> Pixels:
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off instead of scale
        grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.stack([grey] * 3, axis=-1)
    if "A" in image.mode or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return np.asarray(image.convert("RGB"), dtype=np.uint8).copy()


def resized(pixels: Pixels, height: int, width: int) -> Pixels:
    from PIL import Image

    if pixels.shape[:2] == (height, width):
        return pixels
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8)
