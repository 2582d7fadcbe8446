"""How single rows come to their scores: from the baseline's score, feature by feature, to the row's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from clary.clarify.report import words
from clary.clarify.report.scale import Scale, Tick, around
from clary.clarify.shap.explanation import Explanation

STEPS = 8
"""Features that are shown one by one; the others together."""
LINE = 24
SEEN = 0.005
"""A part smaller than this of all parts cannot be seen: it is one of the others."""


@dataclass(frozen=True)
class Step:
    """One feature's part: a bar from `start` to `end`, and one standard error around its end."""

    name: str
    value: float
    error: float
    y: float
    start: float
    end: float
    low: float
    high: float


@dataclass(frozen=True)
class Waterfall:
    """One row in a picture of 480 wide."""

    why: str
    row: int
    expected: float
    score: float
    error: float
    from_: float
    to: float
    steps: list[Step]
    ticks: list[Tick]
    height: float


def waterfalls(explanation: Explanation, output: int, threshold: float | None) -> list[Waterfall]:
    """Telling rows: the highest, the median and the lowest score, and the most uncertain row."""
    seen: set[int] = set()
    found = []
    for why, row in _telling(explanation, output, threshold):
        if row not in seen:
            seen.add(row)
            found.append(_waterfall(explanation, row, output, why))
    return found


def _telling(explanation: Explanation, output: int, threshold: float | None) -> Iterator[tuple[str, int]]:
    scores = explanation.scores[:, output]
    order = np.argsort(scores, kind="stable")
    yield "The highest score", int(order[-1])
    yield "A median score", int(order[len(order) // 2])
    yield "The lowest score", int(order[0])
    doubt = row_errors(explanation, output)
    doubt[[order[-1], order[len(order) // 2], order[0]]] = 0
    if doubt.max() > 0:
        yield "The least certain of the others", int(np.argmax(doubt))
    elif threshold is not None and scores.min() <= threshold <= scores.max():
        yield (
            f"Closest to the threshold of {words.plain(threshold)}",
            int(np.argmin(np.abs(scores - threshold))),
        )


def row_errors(explanation: Explanation, output: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The size of each row's standard errors."""
    return np.asarray(np.sqrt((np.nan_to_num(explanation.errors[:, :, output]) ** 2).sum(axis=1)))


def _waterfall(explanation: Explanation, row: int, output: int, why: str) -> Waterfall:
    values, errors = explanation.values[row, :, output], np.nan_to_num(explanation.errors[row, :, output])
    expected = float(explanation.expected[output])
    order = [int(i) for i in np.argsort(-np.abs(values), kind="stable") if abs(values[i]) > 0]
    least = SEEN * float(np.abs(values).sum())
    shown = [i for i in order[:STEPS] if abs(values[i]) > least]
    shown = order if len(order) == len(shown) + 1 else shown
    parts = [(_named(explanation, row, i), float(values[i]), float(errors[i])) for i in shown]
    rest = order[len(shown) :]
    if rest:
        together = (float(values[rest].sum()), float(np.sqrt((errors[rest] ** 2).sum())))
        parts.append((f"{len(rest)} other features", *together))
    ends = expected + np.cumsum([0.0, *(value for _, value, _ in parts)])
    doubt = np.array([0.0, *(error for _, _, error in parts)])
    scale = around([float((ends - doubt).min()), float((ends + doubt).max())], 190, 408)
    return Waterfall(
        why,
        row,
        expected,
        float(explanation.scores[row, output]),
        float(row_errors(explanation, output)[row]),
        scale.place(expected),
        scale.place(float(ends[-1])),
        [_step(part, k, float(ends[k]), scale) for k, part in enumerate(parts)],
        scale.ticks(3),
        LINE * (len(parts) + 2),
    )


def _step(part: tuple[str, float, float], place: int, start: float, scale: Scale) -> Step:
    name, value, error = part
    end = start + value
    return Step(
        name,
        value,
        error,
        LINE * (place + 1) + LINE / 2,
        scale.place(start),
        scale.place(end),
        scale.place(end - error),
        scale.place(end + error),
    )


def _named(explanation: Explanation, row: int, feature: int) -> str:
    value = explanation.features.iloc[row, feature]
    shown = words.plain(float(value)) if isinstance(value, int | float | np.number) else str(value)
    return f"{explanation.features.columns[feature]} = {shown}"
