"""The report's section on drift, and the page of its own: each metric and ranking, then and now, in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2

from clary.clarify.fairness.metrics import POST_TRAINING
from clary.clarify.fairness.metrics.registry import Scale, find
from clary.clarify.monitoring.attribution_drift import THRESHOLD, AttributionDrift, FeatureDrift
from clary.clarify.monitoring.bias_drift import ROUNDING, BiasDrift
from clary.clarify.monitoring.drift import Drift
from clary.clarify.report import words

SHOWN = 20
"""Features of the slope chart."""
LINE = 28
"""Height of one of its lines."""


def render(drift: Drift) -> str:
    """The comparison as a page of its own, without anything that it would have to fetch."""
    folder = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("drift_page.html.jinja").render(
        style=(folder / "report.css").read_text("utf-8"),
        made=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        drift=section(drift),
    )


def section(drift: Drift | None) -> dict[str, Any] | None:
    """What drift.html.jinja shows; None where nothing was held against a baseline."""
    if drift is None:
        return None
    return {
        "alarm": bool(drift.violations),
        "verdict": list(_verdict(drift)),
        "facets": [_facet(name, items) for name, items in _by_facet(drift.bias).items()],
        "rankings": [_ranking(item) for item in drift.attributions],
        "unchecked": drift.unchecked,
    }


def _verdict(drift: Drift) -> Iterable[str]:
    """The whole comparison in a few sentences."""
    worse = [item for item in drift.bias if item.violates]
    if drift.bias and not worse:
        yield f"No bias metric is surely farther from fair than at the baseline ({len(drift.bias)} checked)."
    if worse:
        names = ", ".join(dict.fromkeys(item.key.metric for item in worse))
        yield (
            f"{len(worse)} of {len(drift.bias)} bias metrics {_are(len(worse))} surely farther from fair "
            f"than at the baseline: {names}."
        )
    for item in drift.attributions:
        what = f" for {item.label}" if len(drift.attributions) > 1 else ""
        yield _looks(item).format(what=what)
    if drift.unchecked:
        number = len(drift.unchecked)
        yield f"{number} {'constraint' if number == 1 else 'constraints'} could not be checked; see below."


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _looks(item: AttributionDrift) -> str:
    if item.violates:
        return (
            f"The model looks at other features than at the baseline{{what}}: the rankings agree to "
            f"{item.ndcg:.2f}, below {THRESHOLD:.2f}."
        )
    return (
        "The model looks at the same features as at the baseline{what}: the rankings agree to "
        f"{item.ndcg:.2f}."
    )


def _by_facet(items: Sequence[BiasDrift]) -> dict[str, list[BiasDrift]]:
    found: dict[str, list[BiasDrift]] = {}
    for item in items:
        found.setdefault(f"{item.key.facet} {_equals(item.key.facet_value)}", []).append(item)
    return found


def _equals(value: str) -> str:
    return value if value.startswith("> ") else f"= {value}"


def _facet(name: str, items: list[BiasDrift]) -> dict[str, Any]:
    """The metrics of a facet, the worst news first."""
    order = {"worse": 0, "unsure": 1, "fine": 2}
    metrics = sorted((_metric(item) for item in items), key=lambda metric: order[metric["state"]])
    return {"name": name, "metrics": metrics}


def _metric(item: BiasDrift) -> dict[str, Any]:
    metric, state = find(item.key.metric), _state(item)
    signed = metric.scale.low < 0
    stage = "predictions" if item.key.stage == POST_TRAINING else "data"
    return {
        "name": item.key.metric,
        "title": metric.description.rsplit(" (", 1)[0],
        "stage": stage,
        "state": state,
        "now": words.number(_shown(item.now), signed),
        "then": words.number(_shown(item.then), signed),
        "reading": _reading(item, state, signed),
        "chart": _chart(item, metric.scale),
    }


def _shown(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _state(item: BiasDrift) -> str:
    if item.violates:
        return "worse"
    low, high = item.allowed
    return "fine" if low - ROUNDING <= item.now <= high + ROUNDING else "unsure"


def _reading(item: BiasDrift, state: str, signed: bool) -> str:
    """One sentence: what became of the metric."""
    allowed = _span(item, signed)
    interval = words.interval([_shown(end) for end in item.interval], signed)
    if state == "worse" and item.interval[0] == item.interval[1]:
        return f"Farther from fair: the baseline allows {allowed}."
    if state == "worse":
        return f"Surely farther from fair: it lies within {interval}, and the baseline allows {allowed}."
    if state == "unsure":
        return f"Farther from fair, but it may be chance: {interval} still reaches into {allowed}."
    if abs(item.now - item.then) <= ROUNDING or item.now == item.then:
        return "As at the baseline."
    return f"No farther from fair than at the baseline, which allows {allowed}."


def _span(item: BiasDrift, signed: bool) -> str:
    """The allowed values in words; a metric that cannot fall below its fair value has only an upper end."""
    if find(item.key.metric).scale.one_sided:
        return f"up to {words.number(_shown(item.allowed[1]), signed)}"
    return words.interval([_shown(end) for end in item.allowed], signed)


def _axis(scale: Scale, x: float) -> float:
    """Ratios are drawn by their logarithm: a half is as far from 1 as 2."""
    if scale.fair != 1:
        return x
    return math.log(x) if x > 0 else -math.inf


def _chart(item: BiasDrift, scale: Scale) -> dict[str, Any]:
    """Positions in percent: the allowed band, the fair value, and both values with their intervals."""
    then = item.interval_then or (item.then, item.then)
    allowed = (max(item.allowed[0], scale.low), item.allowed[1])
    ends = [*allowed, *item.interval, *then, scale.fair, item.then, item.now]
    finite = [x for x in (_axis(scale, end) for end in ends) if math.isfinite(x)]
    margin = 0.06 * (max(finite) - min(finite)) or 0.1
    low, high = min(finite) - margin, max(finite) + margin

    def place(x: float) -> float:
        return round(100 * (min(max(_axis(scale, x), low), high) - low) / (high - low), 2)

    return {
        "allowed": [place(end) for end in allowed],
        "fair": place(scale.fair),
        "then": place(item.then),
        "then_ends": [place(end) for end in then],
        "now": place(item.now),
        "now_ends": [place(end) for end in item.interval],
    }


def _ranking(item: AttributionDrift) -> dict[str, Any]:
    """The slope chart of a ranking: the features that are among the first, then or now."""
    shown = [f for f in item.features if min(_ranks(f)) <= SHOWN]
    deepest = max(min(rank, SHOWN + 1) for f in shown for rank in _ranks(f) if rank != math.inf)
    return {
        "label": item.label,
        "ndcg": f"{item.ndcg:.3f}",
        "threshold": f"{THRESHOLD:.2f}",
        "violates": item.violates,
        "height": LINE * int(deepest) + 44,
        "lines": [_line(f) for f in shown],
        "missing": item.missing,
        "new": item.new,
        "left_out": len(item.features) - len(shown),
    }


def _ranks(feature: FeatureDrift) -> tuple[float, float]:
    return feature.rank_then or math.inf, feature.rank_now or math.inf


def _line(feature: FeatureDrift) -> dict[str, Any]:
    then, now = feature.rank_then, feature.rank_now
    moved = (
        "new" if then is None or now is None else "up" if now < then else "down" if now > then else "level"
    )
    return {
        "name": feature.name,
        "moved": moved,
        "then": None if feature.then is None else words.plain(feature.then),
        "now": None if feature.now is None else words.plain(feature.now),
        "rank_then": then,
        "rank_now": now,
        "named_then": then is not None and then <= SHOWN,
        "named_now": now is not None and now <= SHOWN,
        "y_then": None if then is None else _height(then),
        "y_now": None if now is None else _height(now),
    }


def _height(rank: int) -> int:
    """Where a rank stands; the ones below the shown ones all lead to the foot of the chart."""
    return LINE * min(rank, SHOWN + 1) + 24
