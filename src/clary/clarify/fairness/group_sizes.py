"""Warnings of groups too small to say much."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from clary.clarify.fairness.contrast import Contrast
from clary.clarify.fairness.metrics import PRE_TRAINING, Metric, Stage

MINIMUM = 30
"""Fewer rows than this are warned of; the usual bar of a normal approximation."""


@dataclass(frozen=True)
class SmallGroup:
    """A part of one side with few rows, and the metrics that rest on it."""

    facet: bool
    """Whether the side is the facet or the others."""
    part: str
    rows: int
    minimum: int
    metrics: list[str]

    def in_json(self) -> dict[str, Any]:
        return {**asdict(self), "facet": "facet" if self.facet else "others"}


_DIVISORS = {
    "rows with the positive label": ("RD", "DCA"),
    "rows with the negative label": ("SD", "DCR"),
    "rows predicted positive": ("DAR", "DCA"),
    "rows predicted negative": ("DRR", "DCR"),
    "false positives": ("TE",),
}
"""The post-training metrics that divide by a part of a side, or count it against one."""

_SHARES = ("DPL", "KL", "JS", "LP", "TVD", "KS", "CDDL")
"""The pre-training metrics that compare label shares."""


def small_groups(contrast: Contrast, stage: Stage, metrics: list[Metric], minimum: int) -> list[SmallGroup]:
    """The parts of both sides with fewer rows than `minimum`, of the ones that the metrics rest on."""
    names = [m.name for m in metrics]
    found = []
    for side, cells in ((True, contrast.sizes[1]), (False, contrast.sizes[0])):
        (tn, fp), (fn, tp) = cells.tolist()
        n = tn + fp + fn + tp
        if n < minimum:
            found.append(SmallGroup(side, "rows", round(n), minimum, names))
            continue
        parts = (tp + fn, tn + fp, tp + fp, tn + fn, fp)
        for (part, resting), rows in zip(_DIVISORS.items(), parts, strict=True):
            before = stage == PRE_TRAINING
            touched = [m for m in names if m in (_SHARES if before else resting)]
            if rows < minimum and touched and not (before and "label" not in part):
                found.append(SmallGroup(side, part, round(rows), minimum, touched))
    return found
