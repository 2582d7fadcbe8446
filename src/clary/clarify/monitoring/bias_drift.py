"""Bias drift: whether a metric is surely farther from its fair value than it was at the baseline.

AWS documents two halves of the rule, and Clary puts them together. A value is a violation if it is farther
from the value of no bias than the baseline's ("Bias Drift Violations"); and a batch is only a sample, so its
interval must lie outside of the allowed range altogether ("Monitor Bias Drift", normal bootstrap interval).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from clary.clarify.fairness.metrics.registry import Scale, find, in_json
from clary.clarify.monitoring.constraints import Key, Measured

ROUNDING = 1e-12
"""Values nearer than this are equal: the same batch counted in another order."""

Range = tuple[float, float]


@dataclass(frozen=True)
class BiasDrift:
    """One metric at the baseline and now."""

    key: Key
    then: float
    now: float
    allowed: Range
    interval: Range
    """Where the metric surely lies now; its value alone where the analysis made no intervals."""
    interval_then: Range | None

    @property
    def violates(self) -> bool:
        low, high = self.interval
        return low > self.allowed[1] + ROUNDING or high < self.allowed[0] - ROUNDING

    def in_json(self) -> dict[str, object]:
        return {
            "facet": self.key.facet,
            "facet_value": self.key.asked,
            "metric_name": self.key.metric,
            "baseline_value": in_json(self.then),
            "value": in_json(self.now),
            "allowed": [in_json(end) for end in self.allowed],
            "interval": [in_json(end) for end in self.interval],
            "violation": self.violates,
        }


def bias_drift(key: Key, then: tuple[float, Measured], now: tuple[float, Measured]) -> BiasDrift:
    """Hold a metric against its baseline: the value, and what else is told of it, of each."""
    span = allowed(then[0], find(key.metric).scale)
    return BiasDrift(key, then[0], now[0], span, normal_interval(*now), then[1].interval)


def allowed(baseline: float, scale: Scale) -> Range:
    """All values that are no farther from the fair value than the baseline's, on either side.

    Where the fair value is 1 the metric is a ratio, and x is as far from it as 1/x.
    """
    if scale.fair == 1:
        other = math.inf if baseline == 0 else 1 / baseline
        return min(baseline, other), max(baseline, other)
    distance = abs(baseline - scale.fair)
    return scale.fair - distance, scale.fair + distance


def normal_interval(value: float, measured: Measured) -> Range:
    """The normal bootstrap interval: the value and so many standard errors of it on either side.

    Without a standard error, of an infinite value say, it is the interval that the analysis tells.
    """
    if math.isfinite(value) and measured.standard_error is not None:
        reach = NormalDist().inv_cdf((1 + measured.confidence) / 2) * measured.standard_error
        return value - reach, value + reach
    if measured.interval is not None:
        return min(measured.interval[0], value), max(measured.interval[1], value)
    return value, value
