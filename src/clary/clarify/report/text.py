"""The report's text: some rows with their units in colour, and the units that matter over all rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clary.clarify.report import words
from clary.clarify.text.explanation import TextExplanation

SHOWN_ROWS = 6
SHOWN_CHARACTERS = 2500
"""How much of a text the report shows; the rest is in explanations_shap/out.jsonl."""
STRONGEST = 5
OVERALL = 20
SHOWN_OUTPUTS = 6
DEEPEST = 62
"""How much of the colour the strongest unit has, in percent: the text on it must stay readable."""

LEAST = 1e-6
"""A value below this share of the largest is no bar: it is what rounding leaves of nothing."""


@dataclass(frozen=True)
class Piece:
    """A stretch of text as the page draws it."""

    before: str
    text: str
    after: str
    value: float
    told: str
    """Its value and standard error in words."""
    depth: int
    """How deep its colour is, in percent."""

    @property
    def side(self) -> str:
        return "up" if self.value > 0 else "down"


def signed(value: float) -> str:
    """A change of the score with about three digits."""
    return f"+{words.plain(value)}" if value > 0 else words.plain(value)


def section(explanation: TextExplanation | None) -> dict[str, Any] | None:
    """What text.html.jinja needs; None without text."""
    if explanation is None:
        return None
    outputs = list(range(len(explanation.outputs)))
    # Of two outputs that add up to one, the second says all.
    shown = outputs[1:] if len(outputs) == 2 else outputs[:SHOWN_OUTPUTS]
    return {
        "rows": [_row(explanation, r) for r in _some(explanation)],
        "overall": [_overall(explanation, k) for k in shown],
        "names": list(explanation.units),
        "total": len(explanation.scores),
        "evaluations": explanation.evaluations,
        "gap": explanation.efficiency_gap,
        "by": _replacement(explanation),
        "several": len(outputs) > 1,
    }


def _replacement(explanation: TextExplanation) -> list[str]:
    texts = explanation.baseline[list(explanation.units)]
    return sorted(set(texts.to_numpy().ravel().tolist()))


def _some(explanation: TextExplanation) -> list[int]:
    """A few rows that have anything to show, evenly from the highest to the lowest score."""
    filled = np.flatnonzero(explanation.starts[:, -1] > explanation.starts[:, 0])
    ordered = filled[np.argsort(-explanation.scores[filled, -1], kind="stable")]
    places = np.linspace(0, len(ordered) - 1, min(SHOWN_ROWS, len(ordered)))
    return [int(ordered[round(place)]) for place in places]


def _row(explanation: TextExplanation, r: int) -> dict[str, Any]:
    """A row by the output that it scores highest."""
    k = int(np.argmax(explanation.scores[r]))
    start, end = explanation.starts[r, 0], explanation.starts[r, -1]
    values, errors = explanation.values[start:end, k], explanation.errors[start:end, k]
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    texts: list[dict[str, Any]] = []
    every: list[tuple[str, float]] = []
    for f, name in enumerate(explanation.names):
        span = slice(explanation.starts[r, f] - start, explanation.starts[r, f + 1] - start)
        if name in explanation.units:
            pieces = _pieces(explanation, r, name, values[span], errors[span], largest)
            every += [(piece.text, piece.value) for piece in pieces]
            shown = _beginning(pieces)
            texts.append({"name": name, "pieces": shown, "more": len(pieces) - len(shown)})
        else:
            every.append((_named(explanation, r, name), float(values[span][0])))
    return {
        "number": r + 1,
        "output": explanation.outputs[k],
        "score": float(explanation.scores[r, k]),
        "base": float(explanation.bases[r, k]),
        "texts": texts,
        "titled": len(explanation.names) > 1,
        "strongest": _strongest(every, largest),
    }


def _pieces(
    explanation: TextExplanation, r: int, name: str, values: Any, errors: Any, largest: float
) -> list[Piece]:
    found = []
    for unit, value, error in zip(explanation.units[name][r], values, errors, strict=True):
        before, _, after = unit.piece.partition(unit.text)
        depth = round(DEEPEST * abs(float(value)) / largest)
        told = signed(float(value)) + (f" ± {words.plain(float(error))}" if error > 0 else "")
        found.append(Piece(before, unit.text, after, float(value), told, depth))
    return found


def _beginning(pieces: list[Piece]) -> list[Piece]:
    """As many as the report has room for, one at least."""
    ends = np.cumsum([len(piece.text) for piece in pieces])
    return pieces[: max(1, int(np.searchsorted(ends, SHOWN_CHARACTERS)))]


def _named(explanation: TextExplanation, r: int, name: str) -> str:
    """A feature that is no text, with its value in a row where it is a single column."""
    return f"{name} = {explanation.features[name].iloc[r]}" if name in explanation.features else name


def _strongest(every: list[tuple[str, float]], largest: float) -> list[dict[str, Any]]:
    ranked = sorted(every, key=lambda item: -abs(item[1]))[:STRONGEST]
    return [_bar(name, value, largest) for name, value in ranked if abs(value) > LEAST * largest]


def _overall(explanation: TextExplanation, k: int) -> dict[str, Any]:
    """The units that move an output most: the mean of their effect over all rows."""
    rows = len(explanation.scores)
    found = [
        (text, float(values[:, k].sum()) / rows, len(values))
        for name in explanation.units
        for text, values in explanation.occurrences(name).items()
    ]
    ranked = sorted(found, key=lambda item: (-abs(item[1]), item[0]))[:OVERALL]
    largest = max((abs(mean) for _, mean, _ in ranked), default=0.0) or 1.0
    seen = [item for item in ranked if abs(item[1]) > LEAST * largest]
    bars = [{**_bar(text, mean, largest), "times": times} for text, mean, times in seen]
    return {"name": explanation.outputs[k], "bars": bars, "expected": float(explanation.expected[k])}


def _bar(name: str, value: float, largest: float) -> dict[str, Any]:
    """A bar around the middle, in percent of the width."""
    width = round(50 * abs(value) / largest, 2)
    shown = name if len(name) <= 120 else f"{name[:119]}…"
    return {
        "name": shown,
        "value": signed(value),
        "width": width,
        "start": 50.0 if value > 0 else 50 - width,
        "side": "up" if value > 0 else "down",
    }
