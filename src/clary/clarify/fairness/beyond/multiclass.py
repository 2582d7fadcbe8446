"""Labels of several classes as they are: their whole distribution, and each class against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.clarify.data.columns import Value
from clary.clarify.data.selection import equal_to, is_continuous
from clary.clarify.fairness.contrast import Contrast
from clary.clarify.fairness.measure import Asked, records_of
from clary.clarify.fairness.metrics import POST_TRAINING, PRE_TRAINING, Stage, metrics_of
from clary.clarify.fairness.tabulation import Parts, Tabulation, contrast_of, crossed

DISTRIBUTION = ["JS", "KL", "KS", "LP", "TVD"]
"""The metrics that compare whole distributions of labels."""

MOST_CLASSES = 20


@dataclass(frozen=True)
class ClassesBias:
    """One facet value: how the classes are spread, and the metrics of each class against the rest."""

    facet: str
    value_or_threshold: str
    spread: Contrast
    """Rows by side and class."""
    distribution: list[dict[str, Any]]
    """KL, JS, LP, TVD and KS of the labels (or, after training, of the predictions) over all classes."""
    classes: dict[str, list[dict[str, Any]]]

    def in_json(self) -> dict[str, Any]:
        classes = [{"label_value": name, "metrics": metrics} for name, metrics in self.classes.items()]
        return {
            "value_or_threshold": self.value_or_threshold,
            "distribution": self.distribution,
            "classes": classes,
        }


def class_values(tabulation: Tabulation, positive: Sequence[Value]) -> list[Any]:
    """The classes of the label where it has several, sorted; empty for two classes, quantities and crowds."""
    axis, *predicted = tabulation.table.axes[tabulation.label_axis :]
    if any(a.pivot is not None for a in (axis, *predicted)) or is_continuous(axis, positive):
        return []
    return sorted(axis.values, key=str) if 2 < len(axis.values) <= MOST_CLASSES else []


def multiclass(
    tabulation: Tabulation, classes: list[Any], stage: Stage, asked: Asked
) -> dict[str, list[ClassesBias]]:
    """The measures of every facet for a label with these classes."""
    return {
        name: [
            _measured(tabulation, classes, [(axis, chosen.flags)], stage, asked, (name, chosen.text))
            for chosen in selections
        ]
        for axis, (name, selections) in enumerate(tabulation.facets.items())
    }


def _measured(
    tabulation: Tabulation,
    classes: list[Any],
    parts: Parts,
    stage: Stage,
    asked: Asked,
    facet: tuple[str, str],
) -> ClassesBias:
    axis = tabulation.label_axis + (stage == POST_TRAINING)
    codes = _class_codes(tabulation, axis, classes)
    spread = crossed(tabulation, parts, codes, np.zeros_like(codes), (len(classes) + 1, 1))
    spread = _without_last(spread)
    distances = [m for m in metrics_of(PRE_TRAINING) if m.name in DISTRIBUTION]
    metrics = [m for m in metrics_of(stage, asked.methods) if m.name != "FT"]
    each = {}
    for value in classes:
        contrast = _against_rest(tabulation, parts, value, stage)
        each[str(value)] = records_of(contrast, metrics, asked, f"{facet[1]}: {value}")
    return ClassesBias(*facet, spread, records_of(spread, distances, asked, facet[1]), each)


def _against_rest(tabulation: Tabulation, parts: Parts, value: Any, stage: Stage) -> Contrast:
    axes, label = tabulation.table.axes, tabulation.label_axis
    hat = equal_to(axes[label + 1], [value]) if stage == POST_TRAINING else None
    return contrast_of(tabulation, parts, equal_to(axes[label], [value]), hat)


def _class_codes(tabulation: Tabulation, axis: int, classes: list[Any]) -> NDArray[np.intp]:
    """The class of each cell; the number of classes where it has none of them."""
    codes = np.full(len(tabulation.table.cells.rows), len(classes))
    for i, value in enumerate(classes):
        codes[tabulation.table.where(axis, equal_to(tabulation.table.axes[axis], [value]))] = i
    return codes


def _without_last(contrast: Contrast) -> Contrast:
    """Rows of no class left out, groups summed up."""

    def kept(cells: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cells.sum(axis=0, keepdims=True)[:, :, :-1])

    if contrast.rows is None or contrast.squares is None:
        return Contrast(kept(contrast.cells))
    return Contrast(kept(contrast.cells), rows=kept(contrast.rows), squares=kept(contrast.squares))
