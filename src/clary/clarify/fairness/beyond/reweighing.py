"""Reweighing before training (Kamiran and Calders 2012): weights that make facet and label independent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.contrast import Contrast, Counts
from clary.clarify.fairness.metrics import PRE_TRAINING, Metric, metrics_of, result
from clary.clarify.fairness.tabulation import Facets, Tabulation, Target, contrast_of, tabulate

FROM = "Kamiran and Calders 2012, Data preprocessing techniques for classification without discrimination"


@dataclass(frozen=True)
class Reweighing:
    """The weights of one facet value's four parts, and what they do to the pre-training metrics."""

    facet: str
    value_or_threshold: str
    weights: Counts
    """By side (0 = all others, 1 = the facet) and label (1 = positive)."""
    effect: list[dict[str, Any]]

    def in_json(self) -> dict[str, Any]:
        parts = [
            {"facet": bool(s), "positive_label": bool(y), "weight": float(self.weights[s, y])}
            for s in (1, 0)
            for y in (1, 0)
        ]
        return {"value_or_threshold": self.value_or_threshold, "weights": parts, "metrics": self.effect}


def reweighing(tabulation: Tabulation) -> dict[str, list[Reweighing]]:
    """For every facet value: the weights, and each pre-training metric before and after."""
    found: dict[str, list[Reweighing]] = {}
    for axis, (name, selections) in enumerate(tabulation.facets.items()):
        found[name] = []
        for chosen in selections:
            contrast = contrast_of(tabulation, [(axis, chosen.flags)], tabulation.positive.flags, None)
            weights = part_weights(contrast)
            cells = contrast.cells * weights[:, :, None]
            after = replace(contrast, cells=cells, rows=None, squares=None)
            found[name].append(
                Reweighing(name, chosen.text, weights, effect(metrics_of(PRE_TRAINING), contrast, after))
            )
    return found


def part_weights(contrast: Contrast) -> Counts:
    """P(side) P(label) / P(side, label) for each part; 1 for a part without rows."""
    labels = contrast.labels
    expected = labels.sum(axis=1, keepdims=True) * labels.sum(axis=0, keepdims=True) / labels.sum()
    return np.where(labels > 0, expected / np.where(labels > 0, labels, 1), 1.0)


def effect(metrics: list[Metric], before: Contrast, after: Contrast) -> list[dict[str, Any]]:
    """Each metric's value before and after a remedy."""
    pairs = ((result(m, before), result(m, after)) for m in metrics)
    return [{"name": a["name"], "before": a["value"], "after": b["value"]} for a, b in pairs]


def reweigh(data: pd.DataFrame, facets: Facets, target: Target) -> pd.Series[float]:
    """A weight for each row of the data, for training: with it, the label depends no longer on the facet.

    `facets` names one facet and chooses one value, list or threshold, as for `bias`.
    """
    tabulation = tabulate(data, facets, target)
    chosen = [(axis, s) for axis, selections in enumerate(tabulation.facets.values()) for s in selections]
    if len(chosen) != 1 or tabulation.rows is None:
        raise ClarifyError("Rows are weighed for one facet at a time: give one facet with its value.")
    axis, selection = chosen[0]
    parts = [(axis, selection.flags)]
    weights = part_weights(contrast_of(tabulation, parts, tabulation.positive.flags, None))
    sensitive = tabulation.rows.where(parts).astype(int)
    positive = tabulation.rows.where([(tabulation.label_axis, tabulation.positive.flags)]).astype(int)
    return pd.Series(weights[sensitive, positive], index=data.index, name="weight")
