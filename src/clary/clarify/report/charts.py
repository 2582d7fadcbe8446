"""The geometry of the report's charts; the templates draw it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.explanation import Explanation
from clary.clarify.metrics.registry import Scale
from clary.clarify.partial_dependence import Dependence

SHOWN_FEATURES = 20
SWARM_ROWS = 200
SHOWN_CATEGORIES = 12


@dataclass(frozen=True)
class Gauge:
    """A metric on its scale: positions in percent of the width."""

    value: float | None
    fair: float
    beyond: bool
    low: str
    high: str


def gauge(scale: Scale, value: float | str | None) -> Gauge:
    """Where a value stands between the ends of its scale; open scales end at 2, marked if it is beyond."""
    low, high = max(scale.low, -2.0), min(scale.high, 2.0)

    def place(x: float) -> float:
        return round(100 * (min(max(x, low), high) - low) / (high - low), 2)

    number = None if value is None else float(value)
    beyond = number is not None and not low <= number <= high
    return Gauge(
        None if number is None else place(number),
        place(scale.fair),
        beyond,
        _end(low, scale.low),
        _end(high, scale.high),
    )


def _end(shown: float, real: float) -> str:
    text = f"{shown:.2f}".rstrip("0").rstrip(".").replace("-", "\N{MINUS SIGN}")
    return text if shown == real else ("≤ " if shown < 0 else "≥ ") + text


@dataclass(frozen=True)
class Bar:
    name: str
    value: float
    width: float
    start: float


def importance(explanation: Explanation, output: int) -> list[Bar]:
    """Global values of one output, largest first; bars in percent of the width, around 0 if one is below."""
    values = explanation.global_values[:, output]
    order = ranked(explanation, output)
    top = float(np.abs(values).max()) or 1.0
    signed = bool((values < 0).any())
    unit = (50 if signed else 100) / top
    bars = []
    for i in order:
        width = abs(float(values[i])) * unit
        start = (50 - width if values[i] < 0 else 50) if signed else 0
        bars.append(
            Bar(str(explanation.features.columns[i]), float(values[i]), round(width, 2), round(start, 2))
        )
    return bars


def ranked(explanation: Explanation, output: int) -> list[int]:
    """The features with the largest global values, ties in the order of the columns."""
    size = np.abs(explanation.global_values[:, output])
    return [int(i) for i in np.argsort(-size, kind="stable")[:SHOWN_FEATURES]]


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    level: int
    """The feature's value from low (0) to high (4); -1 for categories, which have no order."""


@dataclass(frozen=True)
class Swarm:
    """Local values of the ranked features: x in 0..1000 around `zero`, y in -1..1 within a line."""

    lines: list[tuple[str, list[Dot]]]
    zero: float
    low: float
    high: float
    rows: int


def swarm(explanation: Explanation, output: int) -> Swarm:
    """Every row's SHAP values (of at most SWARM_ROWS rows, evenly taken) for the ranked features."""
    n = len(explanation.features)
    rows = np.unique(np.linspace(0, n - 1, min(n, SWARM_ROWS)).astype(int))
    values = explanation.values[rows, :, output]
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    span = (high - low) or 1.0
    lines = []
    for i in ranked(explanation, output):
        x = 1000 * (values[:, i] - low) / span
        levels = _levels(explanation.features.iloc[rows, i])
        dots = [
            Dot(round(float(a), 1), round(float(b), 2), int(c))
            for a, b, c in zip(x, _spread(x), levels, strict=True)
        ]
        lines.append((str(explanation.features.columns[i]), dots))
    return Swarm(lines, round(1000 * (0 - low) / span, 1), low, high, len(rows))


def _levels(column: pd.Series[Any]) -> NDArray[np.int64]:
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        return np.full(len(column), -1)
    ranks = column.rank(pct=True, method="average").fillna(0.5).to_numpy()
    return np.asarray(np.minimum((ranks * 5).astype(int), 4))


def _spread(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Offsets that keep dots of nearly equal x apart, alternately above and below the line."""
    offsets = np.zeros(len(x))
    seen: dict[int, int] = {}
    for i in np.argsort(x, kind="stable"):
        cell = int(x[i] // 8)
        k = seen.get(cell, 0)
        seen[cell] = k + 1
        offsets[i] = (1 if k % 2 else -1) * ((k + 1) // 2)
    top = float(np.abs(offsets).max())
    return offsets / max(top, 4.0)


@dataclass(frozen=True)
class Curve:
    """One feature's dependence: points in percent of width and height, and the share of rows below each."""

    name: str
    line: list[tuple[float, float]]
    own: list[list[tuple[float, float]]]
    marks: list[tuple[float, float, float, str]]
    """x, the height of the mean score, the share of the rows in percent, and the value's text."""
    bars: list[tuple[str, float, float, float]]
    """Of categories: text, mean score, width in percent of the largest, share of the rows in percent."""
    low: float
    high: float
    joined: bool
    """Whether the values have an order, so that a line may join them."""


def curve(dependence: Dependence, output: int) -> Curve:
    mean, own = dependence.predictions[output], dependence.own[:, output]
    joined = dependence.kind == "numerical"
    seen = np.concatenate([mean[None], own]) if joined else mean[None]
    low, high = float(seen.min()), float(seen.max())
    span = (high - low) or 1.0
    count = len(dependence.values)
    x = [round(100 * (i + 0.5) / count, 2) for i in range(count)]

    def points(scores: NDArray[np.float64]) -> list[tuple[float, float]]:
        return [(a, round(float(100 * (high - y) / span), 2)) for a, y in zip(x, scores, strict=True)]

    texts = [f"{v:g}" if isinstance(v, float) else str(v) for v in dependence.values]
    shares = (100 * dependence.distribution).round(1).tolist()
    heights = [y for _, y in points(mean)]
    top = float(np.abs(mean).max()) or 1.0
    widths = (100 * np.abs(mean) / top).round(2).tolist()
    return Curve(
        dependence.feature,
        points(mean),
        [points(line) for line in own] if joined else [],
        list(zip(x, heights, shares, texts, strict=True)),
        list(zip(texts, mean.tolist(), widths, shares, strict=True))[:SHOWN_CATEGORIES],
        low,
        high,
        joined,
    )
