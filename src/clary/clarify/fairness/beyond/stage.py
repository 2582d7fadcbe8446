"""All that is measured of one stage beyond Clarify, and written beside Clarify's part of analysis.json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from clary.clarify.data.columns import Value
from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.beyond.intersections import Intersection, intersections, pairs
from clary.clarify.fairness.beyond.multiclass import ClassesBias, class_values, multiclass
from clary.clarify.fairness.beyond.regression import QuantityBias, regression
from clary.clarify.fairness.measure import Asked
from clary.clarify.fairness.metrics import Stage
from clary.clarify.fairness.tabulation import Tabulation

QUANTITIES_NEED_ROWS = (
    "The label is a quantity, but its means and distributions are left out: they need every row in memory, "
    "and the rows of this data set were counted from its files."
)


@dataclass(frozen=True)
class StageBeyond:
    """Intersections of facets, and labels of several classes or quantities as they are."""

    intersections: list[Intersection] = field(default_factory=list)
    multiclass: dict[str, list[ClassesBias]] = field(default_factory=dict)
    regression: dict[str, list[QuantityBias]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    """What could not be measured, and why."""

    def in_json(self) -> dict[str, Any]:
        """The members of a stage that Clarify does not have; without the empty ones."""
        members: dict[str, Any] = {
            "intersections": [item.in_json() for item in self.intersections],
            "multiclass": {n: [v.in_json() for v in values] for n, values in self.multiclass.items()},
            "regression": {n: [v.in_json() for v in values] for n, values in self.regression.items()},
            "errors": self.errors,
        }
        return {name: member for name, member in members.items() if member}


def stage_beyond(
    tabulation: Tabulation,
    stage: Stage,
    asked: Asked,
    positive: Sequence[Value],
    together: Sequence[Sequence[str]] | None = None,
) -> StageBeyond:
    """What fits the label and the facets. `together` names facets to cross; None crosses every two."""
    crossed, errors = [], []
    for names in pairs(tabulation) if together is None else together:
        try:
            crossed += intersections(tabulation, [names], stage, asked)
        except ClarifyError as error:
            if together is not None:
                raise
            errors.append(str(error))
    if tabulation.rows is None and tabulation.positive.threshold is not None:
        errors.append(QUANTITIES_NEED_ROWS)
    classes = class_values(tabulation, positive)
    return StageBeyond(
        crossed,
        multiclass(tabulation, classes, stage, asked) if classes else {},
        regression(tabulation, stage, asked.intervals),
        errors,
    )
