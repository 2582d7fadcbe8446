"""Superpixel outlines and heat maps, as images for files and for the report."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from clary.clarify.images.explanation import Attribution, ImageExplanation
from clary.clarify.images.files import Pixels, resized
from clary.clarify.images.superpixels import Segments
from clary.clarify.shap.coalitions import Flags, Floats

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

RAISES, LOWERS = (28, 92, 190), (201, 42, 42)
"""Blue for what raises the score and red for what lowers it, as Clarify draws them."""
SIDE = (320, 960)
"""A drawing's longest side: small images are enlarged to the first, large ones shrunk to the second."""
MARGIN = 16


def fitted(pixels: Pixels, segments: Segments, side: tuple[int, int] = SIDE) -> tuple[Pixels, Segments]:
    """Both at a size that can be looked at; single pixels stay squares where they are enlarged."""
    longest = max(segments.shape)
    if longest < side[0]:
        times = -(-side[0] // longest)
        return (pixels.repeat(times, 0).repeat(times, 1), segments.repeat(times, 0).repeat(times, 1))
    if longest <= side[1]:
        return pixels, segments
    height, width = (max(1, round(n * side[1] / longest)) for n in segments.shape)
    rows = (np.arange(height) * segments.shape[0]) // height
    columns = (np.arange(width) * segments.shape[1]) // width
    return resized(pixels, height, width), segments[rows[:, None], columns]


def outlined(pixels: Pixels, segments: Segments) -> Pixels:
    """The image with white lines, darkly edged, between its superpixels."""
    line = _between(segments)
    edge = line.copy()
    edge[1:] |= line[:-1]
    edge[:, 1:] |= line[:, :-1]
    drawn = pixels.copy()
    drawn[edge] = (pixels[edge] * 0.35).astype(np.uint8)
    drawn[line] = (255, 255, 255)
    return drawn


def heat_map(pixels: Pixels, segments: Segments, values: Floats) -> Pixels:
    """The image in pale grey under its superpixels' colours: the stronger, the larger the value."""
    grey = pixels.astype(float).mean(axis=-1, keepdims=True) * 0.55 + 255 * 0.45
    strongest = np.abs(values).max(initial=0.0) or 1.0
    share = (values / strongest)[segments][..., None]
    colour = np.where(share > 0, np.array(RAISES), np.array(LOWERS))
    cover = 0.82 * np.abs(share)
    drawn = grey * (1 - cover) + colour * cover
    drawn[_between(segments)] *= 0.72
    return np.asarray(drawn, dtype=np.uint8)


def _between(segments: Segments) -> Flags:
    """Pixels whose right or lower neighbour belongs to another superpixel."""
    found = np.zeros(segments.shape, dtype=bool)
    found[:, :-1] |= segments[:, :-1] != segments[:, 1:]
    found[:-1] |= segments[:-1] != segments[1:]
    return found


def jpeg(pixels: Pixels, quality: int = 90) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=0)
    return stream.getvalue()


def panel(explanation: ImageExplanation, found: Attribution) -> bytes:
    """The file of one heat map: the image with its superpixels, the heat map beside it, the legend below."""
    from PIL import Image, ImageDraw

    pixels, segments = fitted(explanation.pixels, explanation.segments)
    height, width = segments.shape
    canvas = Image.new("RGB", (2 * width + 3 * MARGIN, height + 104), "white")
    draw = ImageDraw.Draw(canvas)
    _text(draw, (MARGIN, 10), f"{explanation.name}: {found.label}, score {found.score:.4g}")
    for left, drawn in (
        (MARGIN, outlined(pixels, segments)),
        (width + 2 * MARGIN, heat_map(pixels, segments, found.values)),
    ):
        canvas.paste(Image.fromarray(drawn), (left, 40))
        _boxed(draw, found, (left, 40), (height, width))
    _legend(canvas, draw, found, (width + 2 * MARGIN, height + 52), width)
    return jpeg(np.asarray(canvas))


def objects(explanation: ImageExplanation) -> bytes:
    """The image with the box of each explained object."""
    from PIL import Image, ImageDraw

    pixels, segments = fitted(explanation.pixels, explanation.segments)
    canvas = Image.fromarray(pixels)
    draw = ImageDraw.Draw(canvas)
    height, width = segments.shape
    for number, found in enumerate(explanation.attributions, 1):
        left, top = _boxed(draw, found, (0, 0), (height, width))
        label = f"{number} {found.label} {found.score:.2f}"
        at = (max(left, 0) + 4, max(top, 0) + 4)
        x0, y0, x1, y1 = draw.textbbox(at, label, font_size=15)
        draw.rectangle((x0 - 3, y0 - 3, x1 + 3, y1 + 3), fill="white")
        _text(draw, at, label)
    return jpeg(np.asarray(canvas))


def _boxed(
    draw: ImageDraw.ImageDraw, found: Attribution, origin: tuple[int, int], shape: tuple[int, int]
) -> tuple[float, float]:
    """Draw the object's box, if there is one; its upper left corner."""
    if found.box is None:
        return origin
    (x, y), (height, width) = origin, shape
    left, top, right, bottom = (
        offset + min(max(share, 0.0), 1.0) * (length - 1)
        for share, offset, length in zip(found.box, (x, y, x, y), (width, height, width, height), strict=True)
    )
    draw.rectangle((left, top, max(left, right), max(top, bottom)), outline="black", width=4)
    draw.rectangle((left + 1, top + 1, max(left, right) - 1, max(top, bottom) - 1), outline="white", width=2)
    return left, top


def _legend(
    canvas: Image.Image, draw: ImageDraw.ImageDraw, found: Attribution, at: tuple[int, int], width: int
) -> None:
    from PIL import Image

    strongest = float(np.abs(found.values).max(initial=0.0))
    ramp = np.linspace(-1, 1, width)[None, :, None]
    colour = np.where(ramp > 0, np.array(RAISES), np.array(LOWERS))
    cover = 0.82 * np.abs(ramp)
    bar = (242 * (1 - cover) + colour * cover).astype(np.uint8)
    canvas.paste(Image.fromarray(bar.repeat(12, 0)), at)
    left, top = at
    for x, anchor, text in (
        (left, "lt", f"lowers {-strongest:.3g}"),
        (left + width // 2, "mt", "0"),
        (left + width, "rt", f"raises +{strongest:.3g}"),
    ):
        draw.text((x, top + 20), text, fill="black", anchor=anchor, font_size=15)


def _text(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str) -> None:
    draw.text(at, text, fill="black", font_size=15)
