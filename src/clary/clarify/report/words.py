"""Numbers and metrics in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from clary.clarify.fairness.group_sizes import SmallGroup
from clary.clarify.fairness.measure import FacetBias
from clary.clarify.fairness.metrics.registry import Metric, Scale, find

MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"

NEGLIGIBLE = 5e-4
"""A difference that rounds to 0.0 percentage points is called none."""


def number(value: float | str | None, signed: bool = True) -> str:
    """A metric's value with three decimals, with a real minus sign; infinities as a symbol."""
    if value is None:
        return "no value"
    if isinstance(value, str):
        return f"{MINUS}∞" if value.startswith("-") else "∞"
    if abs(value) < NEGLIGIBLE:
        return "0.000"
    return (f"{value:+.3f}" if signed else f"{value:.3f}").replace("-", MINUS)


def plain(value: float) -> str:
    """Any number with about three digits."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    return (f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}").replace("-", MINUS)


def rough(error: float) -> str:
    """A standard error, with two digits."""
    return f"{error:.2g}"


def change(value: float) -> str:
    """A number with its sign."""
    return f"+{plain(value)}" if value > 0 else plain(value)


def percent(share: float, decimals: int = 1) -> str:
    """A share as a percentage; the sign keeps to its number."""
    return f"{100 * share:.{decimals}f}\N{NO-BREAK SPACE}%"


def points(difference: float) -> str:
    """A difference of shares in percentage points, without the unit."""
    return f"{100 * difference:+.1f}".replace("-", MINUS)


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names in a sentence."""
    shown = list(names[:most])
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def interval(ends: Sequence[float | str], signed: bool = True) -> str:
    """The two ends of an interval."""
    low, high = (number(end, signed) for end in ends)
    return f"{low} to {high}"


def with_interval(record: dict[str, Any]) -> str:
    """A metric's value, and its interval where it has one."""
    signed = record["value"] is None or isinstance(record["value"], str) or record["name"] != "DI"
    value, ends = number(record["value"], signed), record.get("confidence_interval")
    return f"{value} ({interval(ends, signed)})" if ends else value


def range_of(scale: Scale) -> str:
    """Which values are possible, and which one says "no disparity"."""
    low, high = (plain(end) if math.isfinite(end) else "∞" for end in (abs(scale.low), scale.high))
    below = f"{MINUS}{low}" if scale.low < 0 else low
    return f"from {below} to {high}, {plain(scale.fair)} is no disparity"


def sureness(record: dict[str, Any], confidence: float, signed: bool) -> str:
    """How sure a value is: its interval, and how easily chance gives it; empty where not measured."""
    ends, p = record.get("confidence_interval"), record.get("p_value")
    if ends is None:
        return str(record.get("interval_error", ""))
    chance = "" if p is None else f", p {'< 0.01' if p < 0.01 else f'= {p:.2f}'}"
    return f"{100 * confidence:g}\N{NO-BREAK SPACE}% interval {interval(ends, signed)}{chance}"


def warning(small: SmallGroup, facet: str, others: str) -> str:
    """One sentence: which metrics rest on how few rows."""
    side = facet if small.facet else others
    rows = "1 row" if small.rows == 1 else f"{small.rows:,} rows"
    part = "" if small.part == "rows" else f" ({small.part})"
    return (
        f"Only {rows} of {side}{part}, fewer than {small.minimum}: {', '.join(small.metrics)} may be chance."
    )


def sides(facet: FacetBias) -> tuple[str, str]:
    """What the report calls the sensitive facet and the other rows: the values alone where they are words."""
    value = facet.value_or_threshold
    if facet.threshold is not None:
        return f"{facet.facet} above {facet.threshold:,.10g}", "all others"
    return _side(facet.facet, value), _side(facet.facet, facet.others) if facet.others else "all others"


def heading(facet: FacetBias) -> str:
    """The sensitive facet with its column's name."""
    d, _ = sides(facet)
    return d if d.startswith(facet.facet) else f"{facet.facet}: {d}"


def _side(name: str, value: str) -> str:
    words = value.replace(",", " or ")
    return words if value[:1].isalpha() and value.lower() not in ("true", "false") else f"{name} = {words}"


def reading(record: dict[str, Any], facet: FacetBias) -> str:
    """One sentence: what this value says about these two sides."""
    m, value = find(record["name"]), record["value"]
    if value is None:
        return str(record["error"])
    if isinstance(value, str):
        return "Infinite: one side's ratio divides by zero. Read the counts above instead."
    d, a = sides(facet)
    size = abs(value)
    template = _template(m, value)
    return template.format(
        d=d, a=a, size=plain(size), percent=percent(size), points=f"{100 * size:.1f} percentage points"
    )


def _template(m: Metric, value: float) -> str:
    if abs(value - m.scale.fair) < NEGLIGIBLE:
        return m.words.level
    return m.words.above if value > m.scale.fair else m.words.below or m.words.above
