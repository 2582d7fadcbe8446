"""The geometry of the report's charts; `charts.jinja` draws it as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.fairness.metrics.registry import Scale as Range
from clary.clarify.partial_dependence import Dependence
from clary.clarify.report import words
from clary.clarify.report.scale import Scale, Tick, around
from clary.clarify.shap.explanation import Explanation

SHOWN_FEATURES = 20
SWARM_ROWS = 300
SHOWN_CATEGORIES = 10
LINE = 26
"""The height of a feature's line in the swarm."""


@dataclass(frozen=True)
class Gauge:
    """A metric on its scale: positions in percent of the width."""

    value: float | None
    fair: float
    beyond: bool
    low: str
    high: str
    sure: tuple[float, float] | None
    """The two ends of the interval."""


def gauge(scale: Range, value: float | str | None, ends: list[float | str] | None = None) -> Gauge:
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
        None if ends is None else (place(float(ends[0])), place(float(ends[1]))),
    )


def _end(shown: float, real: float) -> str:
    text = f"{shown:.2f}".rstrip("0").rstrip(".").replace("-", "\N{MINUS SIGN}")
    return text if shown == real else ("≤ " if shown < 0 else "≥ ") + text


@dataclass(frozen=True)
class Bar:
    """A feature's global value in percent of the width, with one standard error to both sides of it."""

    name: str
    value: float
    width: float
    start: float
    error: float | None
    low: float
    high: float
    text: str


def importance(explanation: Explanation, output: int) -> list[Bar]:
    """Global values of one output, largest first; bars in percent of the width, around 0 if one is below."""
    values = explanation.global_values[:, output]
    errors = global_errors(explanation, output)
    order = ranked(explanation, output)
    top = float((np.abs(values) + np.nan_to_num(errors)).max()) or 1.0
    signed = bool((values < 0).any())
    unit, zero = (50, 50) if signed else (100, 0)
    bars = []
    for i in order:
        value, error = float(values[i]), float(errors[i])
        end, whisker = zero + unit * value / top, unit * np.nan_to_num(error) / top
        bars.append(
            Bar(
                str(explanation.features.columns[i]),
                value,
                round(abs(end - zero), 2),
                round(min(end, zero), 2),
                None if np.isnan(error) else error,
                round(float(end - whisker), 2),
                round(float(end + whisker), 2),
                words.plain(value) if np.isnan(error) else f"{words.plain(value)} ± {words.rough(error)}",
            )
        )
    return bars


def global_errors(explanation: Explanation, output: int) -> NDArray[np.float64]:
    """The standard error of each global value by the spread over the rows; NaN of a median, or of one row."""
    values = explanation.values[:, :, output]
    if explanation.agg_method == "median" or len(values) < 2:
        return np.full(values.shape[1], np.nan)
    taken = np.abs(values) if explanation.agg_method == "mean_abs" else values**2
    return np.asarray(taken.std(axis=0, ddof=1) / np.sqrt(len(values)))


def ranked(explanation: Explanation, output: int) -> list[int]:
    """The features with the largest global values, ties in the order of the columns."""
    size = np.abs(explanation.global_values[:, output])
    return [int(i) for i in np.argsort(-size, kind="stable")[:SHOWN_FEATURES]]


Dots = dict[int, list[tuple[float, float]]]
"""Dots by their colour: a number from low (0) to high (4); -1 for categories, which have no order."""


@dataclass(frozen=True)
class Swarm:
    lines: list[tuple[str, float, Dots]]
    """Each feature's name, the height of its line, and its dots."""
    ticks: list[Tick]
    zero: float
    height: float
    rows: int


def evenly(total: int, most: int) -> NDArray[np.int64]:
    """At most `most` row numbers, evenly taken."""
    return np.unique(np.linspace(0, total - 1, min(total, most)).astype(int))


def swarm(explanation: Explanation, output: int) -> Swarm:
    """Every row's SHAP values (of at most SWARM_ROWS rows, evenly taken) for the ranked features."""
    rows = evenly(len(explanation.features), SWARM_ROWS)
    values = explanation.values[rows, :, output]
    scale = around([*values.min(axis=0).tolist(), *values.max(axis=0).tolist(), 0.0], 176, 712)
    lines = []
    for place, i in enumerate(ranked(explanation, output)):
        x = np.array([scale.place(v) for v in values[:, i].tolist()])
        y = LINE * place + LINE / 2 + _spread(x) * LINE * 0.42
        found = dots(x, y, levels(explanation.features.iloc[rows, i]))
        lines.append((str(explanation.features.columns[i]), LINE * place + LINE / 2, found))
    return Swarm(lines, scale.ticks(6), scale.place(0.0), LINE * len(lines), len(rows))


def dots(x: NDArray[np.float64], y: NDArray[np.float64], colours: NDArray[np.int64]) -> Dots:
    """Points by colour, rounded to tenths."""
    found: Dots = {}
    for a, b, c in zip(x.round(1).tolist(), y.round(1).tolist(), colours.tolist(), strict=True):
        found.setdefault(c, []).append((a, b))
    return dict(sorted(found.items()))


def is_number(column: pd.Series[Any]) -> bool:
    """Whether a column's values have an order and a distance."""
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def levels(column: pd.Series[Any]) -> NDArray[np.int64]:
    """Each value's fifth of the column, from 0 to 4; -1 where values have no order."""
    if not is_number(column):
        return np.full(len(column), -1)
    ranks = column.rank(pct=True, method="average").fillna(0.5).to_numpy(dtype=float)
    return np.asarray(np.minimum((ranks * 5).astype(int), 4))


def _spread(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Offsets that keep dots of nearly equal x apart, alternately above and below the line."""
    offsets = np.zeros(len(x))
    seen: dict[int, int] = {}
    for i in np.argsort(x, kind="stable"):
        cell = int(x[i] // 5)
        k = seen.get(cell, 0)
        seen[cell] = k + 1
        offsets[i] = (1 if k % 2 else -1) * ((k + 1) // 2)
    top = float(np.abs(offsets).max())
    return offsets / max(top, 4.0)


@dataclass(frozen=True)
class Curve:
    """One feature's dependence in a picture of 340 by 230."""

    name: str
    output: str
    line: list[tuple[float, float]]
    own: list[list[tuple[float, float]]]
    shares: list[tuple[float, float, float, str]]
    """The rows at each value: x, width and height of a bar, and what it says."""
    x: list[Tick]
    y: list[Tick]
    bars: list[tuple[str, str, float, str]]
    """Of categories: text, mean score, width in percent of the largest, what it says."""
    more: int
    """Categories that are not shown."""


def curve(dependence: Dependence, outputs: list[str]) -> Curve:
    """The dependence of the output that moves most along this feature (the last of two)."""
    moved = dependence.predictions.max(axis=1) - dependence.predictions.min(axis=1)
    k = len(outputs) - 1 if len(outputs) < 3 else int(np.argmax(moved))
    mean, shares = dependence.predictions[k], 100 * dependence.distribution
    texts = [words.plain(v) if isinstance(v, int | float) else str(v) for v in dependence.values]
    says = [f"{t}: {words.percent(s / 100)} of the rows" for t, s in zip(texts, shares, strict=True)]
    name = outputs[k] if len(outputs) > 1 else ""
    if dependence.kind != "numerical":
        top = float(np.abs(mean).max()) or 1.0
        widths = (100 * np.abs(mean) / top).round(2).tolist()
        bars = list(zip(texts, map(words.plain, mean.tolist()), widths, says, strict=True))[:SHOWN_CATEGORIES]
        return Curve(dependence.feature, name, [], [], [], [], [], bars, max(0, len(texts) - len(bars)))
    own = dependence.own[:, k]
    y = around([float(f(part)) for part in (mean, own) for f in (np.min, np.max) if part.size], 168, 8)
    values = [float(v) for v in dependence.values]
    x = around(values, 44, 334, 0.02)
    xs = [x.place(v) for v in values]
    width = round(0.7 * 290 / max(len(values), 1), 1)
    return Curve(
        dependence.feature,
        name,
        _joined(xs, mean, y),
        [_joined(xs, line, y) for line in own],
        [
            (round(a - width / 2, 1), width, round(0.28 * s, 1), t)
            for a, s, t in zip(xs, shares, says, strict=True)
        ],
        x.ticks(4),
        y.ticks(4),
        [],
        0,
    )


def _joined(xs: list[float], scores: NDArray[np.float64], y: Scale) -> list[tuple[float, float]]:
    return [(a, y.place(b)) for a, b in zip(xs, scores.tolist(), strict=True)]
