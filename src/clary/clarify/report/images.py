"""The report's images: superpixels, heat maps and the strongest superpixels of each explained label."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from clary.clarify.findings import Findings
from clary.clarify.images.drawing import fitted, heat_map, jpeg, outlined
from clary.clarify.images.explanation import Attribution, ImageExplanation
from clary.clarify.images.files import Pixels
from clary.clarify.images.superpixels import Segments

SIDE = (300, 420)
"""The longest side of a drawing in the page: see drawing.SIDE."""
STRONGEST = 5


def pictures(findings: Findings) -> dict[str, Any] | None:
    """What the template draws; None where no image was explained."""
    if not findings.images:
        return None
    drawn = [image for image in findings.images if image.pixels.size]
    return {
        "count": len(findings.images),
        "drawn": [_picture(image) for image in drawn],
        "baseline": "white noise"
        if findings.config.shap and findings.config.shap.baseline is None
        else "an image",
        "objects": bool(findings.config.images and findings.config.images.detects),
        "logit": bool(findings.config.shap and findings.config.shap.use_logit),
    }


def _picture(image: ImageExplanation) -> dict[str, Any]:
    pixels, segments = fitted(image.pixels, image.segments, SIDE)
    height, width = segments.shape
    return {
        "name": image.name,
        "size": f"{image.shape[1]:,} x {image.shape[0]:,} pixels",
        "superpixels": image.superpixels,
        "evaluations": image.evaluations,
        "outlined": _data_uri(outlined(pixels, segments)),
        "width": width,
        "height": height,
        "maps": [_map(found, pixels, segments) for found in image.attributions],
    }


def _map(found: Attribution, pixels: Pixels, segments: Segments) -> dict[str, Any]:
    height, width = segments.shape
    largest = float(np.abs(found.values).max(initial=0.0))
    ranked = np.argsort(-np.abs(found.values), kind="stable")[:STRONGEST]
    return {
        "label": found.label,
        "score": found.score,
        "expected": found.expected,
        "largest": largest,
        "heat": _data_uri(heat_map(pixels, segments, found.values)),
        "box": _box(found, height, width),
        "strongest": [
            _superpixel(found, int(i), rank, segments, largest)
            for rank, i in enumerate(ranked, 1)
            if found.values[i]
        ],
        "rest": float(np.delete(found.values, ranked).sum()),
    }


def _superpixel(
    found: Attribution, index: int, rank: int, segments: Segments, largest: float
) -> dict[str, Any]:
    y, x = _middle(segments, index)
    value, error = float(found.values[index]), float(found.errors[index])
    return {
        "rank": rank,
        "x": x,
        "y": y,
        "value": value,
        "error": error if np.isfinite(error) else None,
        "width": round(100 * abs(value) / largest, 1),
    }


def _middle(segments: Segments, index: int) -> tuple[int, int]:
    """The superpixel's pixel that is nearest to its centre: bent ones do not hold their centre."""
    at = np.argwhere(segments == index)
    if not len(at):  # too thin to be seen in a drawing made smaller
        return 0, 0
    y, x = at[np.square(at - at.mean(axis=0)).sum(axis=1).argmin()]
    return int(y), int(x)


def _box(found: Attribution, height: int, width: int) -> dict[str, float] | None:
    if found.box is None:
        return None
    left, top, right, bottom = (min(max(share, 0.0), 1.0) for share in found.box)
    return {
        "x": round(left * width, 1),
        "y": round(top * height, 1),
        "width": round(max(right - left, 0) * width, 1),
        "height": round(max(bottom - top, 0) * height, 1),
    }


def _data_uri(pixels: Pixels) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg(pixels, 85)).decode("ascii")
