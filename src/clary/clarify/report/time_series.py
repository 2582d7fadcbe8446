"""What the report says and draws of explained forecasts; the template puts it on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clary.clarify.report.words import MINUS, plain
from clary.clarify.time_series.explanation import ForecastExplanation, SeriesExplanation
from clary.clarify.time_series.panel import Floats
from clary.clarify.time_series.players import STATIC, Indices

SHOWN_ITEMS = 6
SHOWN_STEPS = 160
LEFT, WIDTH = 150, 880
"""Where the time axis begins, and how long it is."""
CHART, BARS, ROW = 170, 90, 22
"""The heights of the series, of the bars and of a line of the heat map."""
STRONGEST = 3
FAINTEST = 1e-3
"""Of the largest value: what is smaller could not be seen."""


@dataclass(frozen=True)
class Cell:
    """A bar or a field of the heat map: how strong, from 0 to 1, and whether it raises the forecast."""

    x: float
    strength: float
    rises: bool
    text: str


@dataclass(frozen=True)
class Part:
    """What a feature adds over all time steps, as a bar around zero: start and width in percent."""

    name: str
    text: str
    start: float
    width: float
    rises: bool


Line = tuple[str, list[Cell]]
"""A line of the heat map."""


@dataclass(frozen=True)
class Picture:
    """One item: its series and forecast, what each time step adds, and the parts of that."""

    item: str
    sentence: str
    low: float
    high: float
    column: float
    """The width of a time step."""
    past: str
    forecast: str
    unknown: str
    """Points of the lines: the target, the forecast, and the forecast where nothing is known."""
    now: float
    bars: list[Cell]
    top: float
    """The largest sum of a time step."""
    lines: list[Line]
    parts: list[Part]
    ticks: list[tuple[float, str, str]]
    cut: int
    """How many of the first steps are not drawn."""

    @property
    def height(self) -> int:
        return CHART + BARS + ROW * len(self.lines) + 70


@dataclass(frozen=True)
class View:
    """The section of the report."""

    pictures: list[Picture]
    items: int
    names: list[str]
    target: str
    horizon: int
    direction: str
    fine: bool
    evaluations: int
    gap: float
    exact: bool
    warnings: Sequence[str]
    path: str


def view(found: ForecastExplanation | None) -> View | None:
    """None where no forecast was explained."""
    if found is None:
        return None
    settings = found.settings
    return View(
        [_picture(item, found) for item in found.items[:SHOWN_ITEMS]],
        len(found.items),
        found.names,
        found.panel.target,
        len(found.items[0].forecast),
        settings.direction.replace("_", "-"),
        settings.granularity == "fine_grained",
        found.evaluations,
        found.efficiency_gap,
        not any(np.any(item.errors != 0) for item in found.items),
        found.warnings,
        found.path,
    )


@dataclass(frozen=True)
class _Axis:
    """Time, from the first step that is drawn."""

    first: int
    columns: int
    times: list[str]

    @property
    def column(self) -> float:
        return WIDTH / (self.columns - self.first)

    def x(self, step: float) -> float:
        return round(LEFT + (step - self.first + 0.5) * self.column, 1)


def _axis(item: SeriesExplanation) -> _Axis:
    past, known = len(item.series.target), item.series.steps
    columns = max(known, past + len(item.forecast))
    times = [str(t) for t in item.series.timestamps]
    times += [f"{times[past - 1]} +{step - past + 1}" for step in range(known, columns)]
    return _Axis(max(0, columns - SHOWN_STEPS), columns, times)


def _picture(item: SeriesExplanation, found: ForecastExplanation) -> Picture:
    axis, past = _axis(item), len(item.series.target)
    ahead = np.arange(past, past + len(item.forecast))
    by_step = _by_step(item, axis.columns)
    drawn = np.concatenate([item.series.target[axis.first :], item.forecast, item.offset])
    low, high = float(drawn.min()), float(drawn.max())

    def points(steps: Indices, values: Floats) -> str:
        y = 8 + (CHART - 16) * (high - values) / ((high - low) or 1.0)
        shown = [(axis.x(step), round(float(v), 1)) for step, v in zip(steps, y, strict=True)]
        return " ".join(f"{x},{y}" for x, y in shown if x > LEFT)

    return Picture(
        item=str(item.series.item_id),
        sentence=_sentence(item, by_step, axis),
        low=low,
        high=high,
        column=axis.column,
        past=points(np.arange(past), item.series.target),
        forecast=points(
            np.concatenate([[past - 1], ahead]), np.concatenate([item.series.target[-1:], item.forecast])
        ),
        unknown=points(ahead, item.offset),
        now=round(axis.x(past - 0.5), 1),
        bars=_cells(by_step, axis, _largest(by_step)),
        top=_largest(by_step),
        lines=_lines(item, found, axis),
        parts=_parts(item, found),
        ticks=_ticks(axis, past),
        cut=axis.first,
    )


def _largest(values: Floats) -> float:
    return float(np.abs(values).max(initial=0.0))


def _by_step(item: SeriesExplanation, columns: int) -> Floats:
    """What each time step adds to the mean forecast."""
    total = np.zeros(columns)
    timed = item.steps != STATIC
    np.add.at(total, item.steps[timed], item.values[timed].mean(axis=1))
    return total


def _cells(values: Floats, axis: _Axis, top: float) -> list[Cell]:
    return [
        Cell(
            axis.x(step),
            round(abs(value) / top, 3),
            value > 0,
            f"{axis.times[step]}: {signed(value)}",
        )
        for step, value in enumerate(values.tolist())
        if step >= axis.first and abs(value) > FAINTEST * top
    ]


def _lines(item: SeriesExplanation, found: ForecastExplanation, axis: _Axis) -> list[Line]:
    """The heat map: a line for each forecast step, or for each feature where they are told apart."""
    if item.features is None:
        names = [f"{k + 1} ahead" for k in range(len(item.forecast))]
        table = np.zeros((len(names), axis.columns))
        table[:, item.steps] = item.values.T
    else:
        names = [found.panel.target, *found.panel.related]
        table = np.zeros((len(names), axis.columns))
        timed = item.steps != STATIC
        table[item.features[timed], item.steps[timed]] = item.values[timed].mean(axis=1)
    top = _largest(table) or 1.0
    return [(name, _cells(line, axis, top)) for name, line in zip(names, table, strict=True)]


def _parts(item: SeriesExplanation, found: ForecastExplanation) -> list[Part]:
    """What each feature adds to the mean forecast over all time steps."""
    if item.features is None:
        return []
    sums = np.zeros(len(found.names))
    np.add.at(sums, item.features, item.values.mean(axis=1))
    top = _largest(sums) or 1.0
    bars = []
    for name, value in zip(found.names, sums.tolist(), strict=True):
        width = 50 * abs(value) / top
        bars.append(
            Part(name, signed(value), round(50 - width if value < 0 else 50, 2), round(width, 2), value > 0)
        )
    return bars


def _sentence(item: SeriesExplanation, by_step: Floats, axis: _Axis) -> str:
    """What the forecast is, from where, and by which time steps."""
    strongest = [int(i) for i in np.argsort(-np.abs(by_step), kind="stable")[:STRONGEST] if by_step[i] != 0]
    told = ", ".join(f"{axis.times[i]} ({signed(by_step[i])})" for i in strongest)
    ahead = len(item.forecast)
    mean = f"The mean forecast of the {ahead} steps ahead" if ahead > 1 else "The forecast"
    return (
        f"{mean} is {plain(float(item.forecast.mean()))}; with nothing known it would be "
        f"{plain(float(item.offset.mean()))}." + (f" Most comes from {told}." if told else "")
    )


def _ticks(axis: _Axis, past: int) -> list[tuple[float, str, str]]:
    """The first step, the last known one and the last: x, text and anchor."""
    last = axis.columns - 1
    marks = [(axis.first, "start")]
    if past - 1 > axis.first:
        marks.append((past - 1, "end" if (last - past) * axis.column < 150 else "middle"))
    found = [(axis.x(step), axis.times[step], anchor) for step, anchor in marks]
    if (last - past + 1) * axis.column >= 150 or past - 1 <= axis.first:
        found.append((axis.x(last), axis.times[last], "end"))
    return found


def signed(value: float) -> str:
    """A number with its sign and about three digits."""
    return ("+" if value > 0 else MINUS if value < 0 else "") + plain(abs(value))
