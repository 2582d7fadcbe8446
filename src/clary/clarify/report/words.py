"""Numbers and metrics in plain words."""

from __future__ import annotations

import math
from typing import Any

from clary.clarify.bias_metrics import FacetBias
from clary.clarify.metrics.registry import Metric, find

MINUS = "\N{MINUS SIGN}"

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
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}".replace("-", MINUS)


def percent(share: float) -> str:
    """A share as a percentage with one decimal."""
    return f"{100 * share:.1f} %"


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
