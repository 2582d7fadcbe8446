"""Intersections of facets: each combination of their values against all other rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np

from clary.clarify.errors import ClarifyError, known
from clary.clarify.fairness.contrast import Contrast, Flags
from clary.clarify.fairness.group_sizes import SmallGroup, small_groups
from clary.clarify.fairness.measure import Asked, records_of
from clary.clarify.fairness.metrics import POST_TRAINING, Stage, metrics_of
from clary.clarify.fairness.tabulation import Tabulation, contrast_of

MOST_SUBGROUPS = 100
"""More combinations of values than this say nothing that a person could read."""


@dataclass(frozen=True)
class Subgroup:
    """The rows with one combination of values, against all other rows."""

    values: dict[str, str]
    """For each facet, what the subgroup is: its value, or "not ..." the facet."""
    contrast: Contrast
    metrics: list[dict[str, Any]]
    warnings: list[SmallGroup]

    def in_json(self) -> dict[str, Any]:
        d, a = (int(side.sum()) for side in (self.contrast.sizes[1], self.contrast.sizes[0]))
        return {
            "value_or_threshold": self.values,
            "metrics": self.metrics,
            "rows": {"facet": d, "others": a},
            "warnings": [w.in_json() for w in self.warnings],
        }


@dataclass(frozen=True)
class Intersection:
    """All subgroups of some facets that have rows."""

    facets: tuple[str, ...]
    subgroups: list[Subgroup]

    def in_json(self) -> dict[str, Any]:
        return {"facets": list(self.facets), "subgroups": [s.in_json() for s in self.subgroups]}


def pairs(tabulation: Tabulation) -> list[tuple[str, ...]]:
    """Every two facets."""
    return list(combinations(tabulation.facets, 2))


def intersections(
    tabulation: Tabulation, together: Sequence[Sequence[str]], stage: Stage, asked: Asked
) -> list[Intersection]:
    """The metrics of every subgroup of the facets named together.

    A facet with chosen values has two sides here, the chosen ones and all others; one without has each of its
    values. A row without a value belongs to no subgroup, but to the other rows. The flip test is left to
    single facets.
    """
    return [_intersection(tabulation, tuple(names), stage, asked) for names in together]


def _intersection(tabulation: Tabulation, names: tuple[str, ...], stage: Stage, asked: Asked) -> Intersection:
    facets = list(tabulation.facets)
    for name in names:
        if name not in facets:
            raise ClarifyError(
                f"An intersection names {name!r}, which is no facet. {known(name, facets, 'facets')}"
            )
    if len(set(names)) < 2:
        raise ClarifyError(f"An intersection needs two facets or more, not {', '.join(names)}.")
    sides = [_sides(tabulation, name) for name in names]
    number = int(np.prod([len(s) for s in sides]))
    if number > MOST_SUBGROUPS:
        raise ClarifyError(
            f"{' x '.join(names)} has {number} combinations of values, more than {MOST_SUBGROUPS}: "
            "give these facets values or thresholds, or cross fewer of them."
        )
    hat = tabulation.hat if stage == POST_TRAINING else None
    metrics = [m for m in metrics_of(stage, asked.methods) if m.name != "FT"]
    found = []
    for chosen in product(*sides):
        parts = [(facets.index(name), flags) for name, (_, flags) in zip(names, chosen, strict=True)]
        contrast = contrast_of(tabulation, parts, tabulation.positive.flags, hat)
        if contrast.sizes[1].any():
            texts = {name: text for name, (text, _) in zip(names, chosen, strict=True)}
            records = records_of(contrast, metrics, asked, " & ".join(texts.values()))
            warnings = small_groups(contrast, stage, metrics, asked.minimum_group_size)
            found.append(Subgroup(texts, contrast, records, warnings))
    return Intersection(names, found)


def _sides(tabulation: Tabulation, name: str) -> list[tuple[str, Flags]]:
    selections = tabulation.facets[name]
    if len(selections) > 1:
        return [(s.text, s.flags) for s in selections]
    only = selections[0]
    return [(only.text, only.flags), (only.others or f"not {only.text}", ~only.flags)]
