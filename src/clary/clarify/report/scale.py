"""Where numbers stand on a chart's axis, and the round numbers that are written at it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from clary.clarify.report import words


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Scale:
    """Numbers from `low` to `high` drawn between two places; `start` may lie behind `end`."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, about: int = 5) -> list[Tick]:
        """Round numbers within the scale, at most `about` + 1 of them."""
        return [Tick(self.place(value), words.plain(value)) for value in rounded(self.low, self.high, about)]


def around(values: list[float], start: float, end: float, margin: float = 0.04) -> Scale:
    """A scale on which all `values` have place, with a little air at both ends."""
    low, high = min(values), max(values)
    air = margin * ((high - low) or abs(high) or 1.0)
    return Scale(low - air, high + air, start, end)


def rounded(low: float, high: float, about: int) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten between two numbers."""
    if not high > low:
        return [low]
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [0.0 if i == 0 else i * step for i in range(first, last + 1)]
