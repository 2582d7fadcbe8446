"""Partial dependence: the model's mean score as one feature takes each of its values, and some rows.

Friedman, "Greedy function approximation", Annals of Statistics 2001; Goldstein et al., "Peeking inside the
black box: individual conditional expectation", JCGS 2015, for the rows' own lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clary.clarify.config.analysis import PartialDependence as Settings
from clary.clarify.data.predictions import Predict, scores
from clary.clarify.errors import ClarifyError, known
from clary.clarify.shap.coalitions import Floats
from clary.clarify.shap.explanation import Explanation

MOST_ROWS = 1000
"""Rows that the mean is taken over, evenly chosen where there are more: its standard error is then below a
thirtieth of the scores' spread."""
OWN_LINES = 40
MOST_CATEGORIES = 50
BATCH_ROWS = 100_000


@dataclass(frozen=True)
class Dependence:
    """One feature's g values and what the model's k outputs are at each."""

    feature: str
    kind: str
    """numerical or categorical."""
    values: list[Any]
    """The middle of each bucket of a number, or the categories, most frequent first."""
    distribution: Floats
    """Shape (g,): the share of the rows that is in each bucket or category."""
    predictions: Floats
    """Shape (k, g)."""
    own: Floats
    """Shape (rows, k, g): the lines of some rows."""

    def in_json(self, label_headers: Sequence[str]) -> dict[str, Any]:
        """An item of analysis.json's explanations.pdp."""
        return {
            "feature_name": self.feature,
            "data_type": self.kind,
            "feature_values": self.values,
            "data_distribution": self.distribution.tolist(),
            "model_predictions": self.predictions.tolist(),
            "label_headers": list(label_headers),
        }


def partial_dependence(
    features: pd.DataFrame, predict: Predict, names: Sequence[str], resolution: int = 15
) -> list[Dependence]:
    """The dependence on each named feature. Raises ClarifyError where the model answers no numbers."""
    rows = np.unique(np.linspace(0, len(features) - 1, min(len(features), MOST_ROWS)).astype(int))
    sample = features.iloc[rows].reset_index(drop=True)
    return [_dependence(features[name], sample, predict, resolution) for name in names]


def chosen(features: pd.DataFrame, settings: Settings, explanation: Explanation | None) -> list[str]:
    """The features that were asked for; else the ones with the largest SHAP values, or the first ones."""
    names = list(map(str, features.columns))
    if settings.features is not None:
        return [_name(key, names) for key in settings.features]
    if explanation is None:
        return names[: settings.top_k_features]
    strength = np.abs(explanation.global_values).max(axis=1)
    ranked = [str(explanation.features.columns[i]) for i in np.argsort(-strength, kind="stable")]
    return [name for name in ranked if name in names][: settings.top_k_features]


def _name(key: str | int, names: list[str]) -> str:
    if isinstance(key, int) and 0 <= key < len(names):
        return names[key]
    if key not in names:
        raise ClarifyError(f"methods.pdp.features has {key!r}. {known(key, names, 'features')}")
    return str(key)


def _dependence(
    column: pd.Series[Any], sample: pd.DataFrame, predict: Predict, resolution: int
) -> Dependence:
    number = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
    values, shares = _buckets(column, resolution) if number else _categories(column)
    found = _scores_at(sample, str(column.name), values, predict)
    return Dependence(
        feature=str(column.name),
        kind="numerical" if number else "categorical",
        values=[value.item() if isinstance(value, np.generic) else value for value in values],
        distribution=shares,
        predictions=found.mean(axis=1).T,
        own=found[:, :OWN_LINES].transpose(1, 2, 0),
    )


def _buckets(column: pd.Series[Any], resolution: int) -> tuple[list[Any], Floats]:
    """Middles of equally wide buckets; where there are no more values than buckets, the values."""
    present = column.dropna()
    if present.empty:
        raise ClarifyError(
            f"The feature {column.name!r} has no values: leave it out of methods.pdp.features."
        )
    distinct = np.sort(present.unique())
    if len(distinct) <= resolution:
        counts = present.value_counts().reindex(distinct).to_numpy(dtype=float)
        return list(distinct), counts / len(column)
    counts, edges = np.histogram(present.to_numpy(dtype=float), bins=resolution)
    middles = (edges[:-1] + edges[1:]) / 2
    if pd.api.types.is_integer_dtype(column.dtype):
        middles = middles.round().astype(int)
    return list(middles), counts / len(column)


def _categories(column: pd.Series[Any]) -> tuple[list[Any], Floats]:
    counts = column.value_counts()[:MOST_CATEGORIES]
    if counts.empty:
        raise ClarifyError(
            f"The feature {column.name!r} has no values: leave it out of methods.pdp.features."
        )
    return list(counts.index), counts.to_numpy(dtype=float) / len(column)


def _scores_at(sample: pd.DataFrame, name: str, values: Sequence[Any], predict: Predict) -> Floats:
    """The scores of every row at every value, shape (values, rows, outputs)."""
    at_a_time = max(1, BATCH_ROWS // len(sample))
    parts = []
    for start in range(0, len(values), at_a_time):
        some = values[start : start + at_a_time]
        frame = pd.concat([sample] * len(some), ignore_index=True)
        placed = pd.Series([value for value in some for _ in range(len(sample))], name=name)
        kind = frame[name].dtype
        frame[name] = placed.astype(kind if _fits(placed, kind) else placed.dtype)
        parts.append(scores(predict, frame).reshape(len(some), len(sample), -1))
    return np.concatenate(parts)


def _fits(values: pd.Series[Any], kind: Any) -> bool:
    """Whether a column's type can hold the values: the middle of a bucket is no integer."""
    return not (pd.api.types.is_integer_dtype(kind) and pd.api.types.is_float_dtype(values.dtype))
