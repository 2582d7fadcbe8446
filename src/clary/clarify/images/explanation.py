"""What an explanation of an image is, what its files are called, and its part of analysis.json."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clary.clarify.images.files import Pixels
from clary.clarify.images.superpixels import Segments
from clary.clarify.shap.coalitions import Floats


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
