"""SHAP value against feature value, coloured by the feature that it depends on most besides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.report import words
from clary.clarify.report.charts import Dots, dots, evenly, is_number, levels, ranked
from clary.clarify.report.scale import Tick, around
from clary.clarify.shap.explanation import Explanation

SHOWN = 6
DOTS = 400
FITTED_ROWS = 4000
"""Rows that the partner is looked for in, evenly chosen where there are more."""
BINS = 10
PARTS = 4
CATEGORIES = 8
"""Shown categories of a feature or a partner, the most frequent ones."""
LEAST = 0.05
"""A partner that explains a smaller share of the spread than this is none."""

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Scatter:
    """One feature's dots in a picture of 340 by 230, and what their colours mean."""

    name: str
    partner: str
    explained: float
    """The share of the spread at equal values of the feature that the partner explains."""
    dots: Dots
    key: list[tuple[int, str]]
    x: list[Tick]
    y: list[Tick]
    zero: float


def scatters(explanation: Explanation, output: int) -> list[Scatter]:
    """The dependence of the strongest features' SHAP values on the features."""
    found = [i for i in ranked(explanation, output) if explanation.values[:, i, output].any()]
    return [_scatter(explanation, i, output) for i in found[:SHOWN]]


def _scatter(explanation: Explanation, feature: int, output: int) -> Scatter:
    features = explanation.features
    rows = evenly(len(features), FITTED_ROWS)
    partner, explained = strongest_partner(
        features.iloc[rows], explanation.values[rows, feature, output], feature
    )
    rows = evenly(len(features), DOTS)
    column, values = features.iloc[rows, feature], explanation.values[rows, feature, output]
    places, ticks = _across(column)
    kept = ~np.isnan(places)
    y = around([*values.tolist(), 0.0], 186, 8)
    heights = np.array([y.place(v) for v in values.tolist()])
    colours, key = (np.full(len(rows), 9), []) if partner is None else _colours(features.iloc[rows, partner])
    return Scatter(
        str(features.columns[feature]),
        "" if partner is None else str(features.columns[partner]),
        explained,
        dots(places[kept], heights[kept], colours[kept]),
        key,
        ticks,
        y.ticks(4),
        y.place(0.0),
    )


def strongest_partner(features: pd.DataFrame, values: Floats, feature: int) -> tuple[int | None, float]:
    """The other feature that tells most of the SHAP values of rows with about equal values of this one.

    What each feature explains is the adjusted share of variance between its parts, within bins of this
    feature: parts that tell nothing have a share of about 0 however many there are.
    """
    bins = parts(features.iloc[:, feature], BINS)
    rest = values - _means(bins, values)
    total = float(rest @ rest)
    if total <= 1e-18 * max(1.0, float(values @ values)) or len(values) < 20:
        return None, 0.0
    found = [
        (_explained(bins, parts(features.iloc[:, j], PARTS), rest), -j)
        for j in range(features.shape[1])
        if j != feature
    ]
    share, j = max(found, default=(0.0, 0))
    return (-j, share) if share >= LEAST else (None, 0.0)


def parts(column: pd.Series[Any], number: int) -> Codes:
    """About equally large parts of a column: ranges of a number; frequent categories, and one of the rest."""
    if is_number(column) and column.nunique() > number:
        ranks = column.rank(pct=True, method="average").fillna(1.0).to_numpy(dtype=float)
        return np.asarray(np.ceil(ranks * number).astype(np.int64) - 1)
    codes = pd.factorize(column)[0]
    counts = np.bincount(codes + 1)
    order = np.argsort(np.argsort(-counts, kind="stable"), kind="stable")
    return np.asarray(np.minimum(order[codes + 1], max(number, CATEGORIES)), dtype=np.int64)


def _means(codes: Codes, values: Floats) -> Floats:
    counts = np.maximum(np.bincount(codes), 1)
    return np.asarray((np.bincount(codes, values) / counts)[codes])


def _explained(bins: Codes, part: Codes, rest: Floats) -> float:
    crossed = bins * (int(part.max()) + 1) + part
    left = rest - _means(crossed, rest)
    n, cells, given = len(rest), len(np.unique(crossed)), len(np.unique(bins))
    if n - cells < n / 2:
        return 0.0
    return 1 - (float(left @ left) / (n - cells)) / (float(rest @ rest) / (n - given))


def _across(column: pd.Series[Any]) -> tuple[Floats, list[Tick]]:
    """Each value's place between 44 and 334; the categories side by side, spread a little."""
    if is_number(column):
        numbers = column.to_numpy(dtype=float)
        present = numbers[np.isfinite(numbers)]
        if not present.size:
            return np.full(len(numbers), np.nan), []
        scale = around([float(present.min()), float(present.max())], 44, 334)
        return np.array(
            [scale.place(v) if np.isfinite(v) else np.nan for v in numbers.tolist()]
        ), scale.ticks(4)
    text = column.astype(object).where(column.notna(), None).map(str)
    names = text.value_counts().index[:CATEGORIES].tolist()
    width = 290 / len(names)
    middles = {name: 44 + width * (i + 0.5) for i, name in enumerate(names)}
    shaken = ((np.arange(len(text)) * 0.618034) % 1 - 0.5) * width * 0.6
    places = np.array([middles.get(name, np.nan) for name in text]) + shaken
    return places, [Tick(round(at, 1), name) for name, at in middles.items()]


def _colours(column: pd.Series[Any]) -> tuple[Codes, list[tuple[int, str]]]:
    if is_number(column) and column.nunique() > PARTS:
        low, middle, high = (words.plain(float(q)) for q in column.quantile([0.1, 0.5, 0.9]))
        return levels(column), [
            (0, f"low, about {low}"),
            (2, f"middle, {middle}"),
            (4, f"high, about {high}"),
        ]
    text = column.astype(object).where(column.notna(), None).map(str)
    names = text.value_counts().index.tolist()
    chosen = names[:4]
    codes = np.array([10 + chosen.index(t) if t in chosen else 9 for t in text])
    key = [(10 + i, name) for i, name in enumerate(chosen)]
    return codes, [*key, (9, "others")] if len(names) > len(chosen) else key
