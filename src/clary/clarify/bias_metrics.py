"""Bias metrics of a table: every facet against all other rows, before and after training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from clary.clarify.columns import (
    Column,
    Selection,
    Value,
    as_number,
    canonical,
    choose,
    equal_to,
    is_continuous,
)
from clary.clarify.contrast import Contrast, Flags, count
from clary.clarify.errors import ClarifyError, known
from clary.clarify.metrics import Metric, Stage, metrics_of, result

Facets = Mapping[str, Sequence[Value] | None]


@dataclass(frozen=True)
class FacetBias:
    """One facet value: how its rows divide, and its metrics in Clarify's form."""

    facet: str
    value_or_threshold: str
    contrast: Contrast
    metrics: list[dict[str, Any]]
    others: str
    """What the other rows are, where that is one value; otherwise empty."""
    threshold: float | None = None
    """The value above which rows are in the facet, where it is chosen so."""


@dataclass(frozen=True)
class StageBias:
    """The metrics of one stage (before or after training) for all facets."""

    stage: Stage
    label: str
    label_value_or_threshold: str
    facets: dict[str, list[FacetBias]]

    def in_json(self) -> dict[str, Any]:
        """The part of analysis.json that Clarify writes for the stage."""
        return {
            "label": self.label,
            "label_value_or_threshold": self.label_value_or_threshold,
            "facets": {
                name: [{"value_or_threshold": f.value_or_threshold, "metrics": f.metrics} for f in facets]
                for name, facets in self.facets.items()
            },
        }


@dataclass(frozen=True)
class Target:
    """The label and its positive values (or one threshold), and the predictions where there are some.

    `predicted` is a column of labels like `label`, or a boolean array (True = positive).
    """

    label: Column
    positive: Sequence[Value]
    predicted: Column | Flags | None = None


def bias(
    data: pd.DataFrame,
    facets: Facets,
    target: Target,
    group: Column | None = None,
    methods: str | list[str] = "all",
) -> StageBias:
    """Measure the bias of labels, or of predictions where the target has some.

    `data` holds the facets and features, without label and prediction; `facets` maps a column to its
    sensitive values, to one threshold, or to None (one value after the other against all). `group` is the
    group variable of the conditional metrics. All have the same rows in the same order.

    Raises ClarifyError where a column or value is not there. A metric that has no value in this table
    carries an `error` instead, and the others go on.
    """
    stage: Stage = "pre_training_bias" if target.predicted is None else "post_training_bias"
    chosen = choose(target.label, target.positive, "label")[0]
    hat = predicted_positive(target)
    metrics = metrics_of(stage, methods)
    measured: dict[str, list[FacetBias]] = {}
    for name, values in facets.items():
        if name not in data.columns:
            raise ClarifyError(f"There is no facet column {name!r}. {known(name, data.columns, 'columns')}")
        features = data.drop(columns=name)
        measured[name] = []
        for selection in choose(data[name], values, "facet"):
            contrast = count(selection.flags, chosen.flags, hat, group, features)
            measured[name].append(_facet(data[name], selection, contrast, metrics))
    return StageBias(stage, str(target.label.name), chosen.text, measured)


def predicted_positive(target: Target) -> Flags | None:
    """Which predictions are positive, judged as the label is. No positive prediction at all is allowed."""
    label, positive, predicted = target.label, target.positive, target.predicted
    if predicted is None or not isinstance(predicted, pd.Series):
        return predicted
    if len(predicted) != len(label):
        raise ClarifyError(f"There are {len(predicted)} predictions for {len(label)} rows.")
    if is_continuous(label, positive):
        threshold = as_number(positive[0])
        numbers = pd.to_numeric(predicted, errors="coerce")
        if numbers.isna().any() or threshold is None:
            raise ClarifyError("The label is a quantity, so every prediction must be a number too.")
        return (numbers > threshold).to_numpy(dtype=bool)
    flags = equal_to(predicted, positive)
    labels = {canonical(v) for v in label.dropna().unique()}
    if not flags.any() and not labels & {canonical(v) for v in predicted.dropna().unique()}:
        seen = ", ".join(repr(v) for v in list(predicted.dropna().unique())[:5])
        raise ClarifyError(
            f"The predictions ({seen}) are none of the label's values. {known('', label.unique(), 'labels')} "
            "Set predictor.label_headers or probability_threshold, or let the model answer with labels."
        )
    return flags


def _facet(column: Column, selection: Selection, contrast: Contrast, metrics: list[Metric]) -> FacetBias:
    others = column[~selection.flags].dropna().unique()
    return FacetBias(
        str(column.name),
        selection.text,
        contrast,
        [result(m, contrast) for m in metrics],
        str(others[0]) if len(others) == 1 else "",
        selection.threshold,
    )
