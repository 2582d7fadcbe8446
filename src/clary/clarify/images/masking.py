"""An image as a game of its superpixels, played against a baseline: Kernel SHAP with Clarify's designs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from clary.clarify.config.analysis import Shap
from clary.clarify.data.scoring import logits
from clary.clarify.images.explanation import Attribution
from clary.clarify.images.files import Pixels
from clary.clarify.images.superpixels import Segments
from clary.clarify.shap.coalitions import Flags, Floats, attribute, design

CHUNK_BYTES = 64_000_000
"""Of masked images in memory at a time."""


@dataclass(frozen=True)
class MaskedImage:
    """An image and its baseline. The superpixels are the players: as they are, or as in the baseline."""

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
