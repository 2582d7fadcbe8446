"""How sure a metric is: confidence intervals and p-values by resampling the cells, not the rows.

A bootstrap draws n rows with replacement. What the metrics see of such a draw is how many rows fall into
each cell, and that is one multinomial draw: its cost does not depend on n. Every metric takes all
replicates at once.

A cell without rows stays without in every draw, as if such rows could not exist: 0 of 3 would be certain. So
an interval also holds the values that z^2 more rows in any empty cell would give, which is where Wilson's
interval of 0 among n ends: z^2 / (n + z^2) (Wilson, "Probable inference, the law of succession, and
statistical inference", JASA 1927).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.contrast import Contrast, Counts
from clary.clarify.fairness.metrics import POST_TRAINING, Metric, Stage
from clary.clarify.fairness.metrics.registry import in_json, values

FEWEST_DEFINED = 0.9
"""Without a value in at least this share of the replicates, a metric has no interval."""


@dataclass(frozen=True)
class Intervals:
    """How intervals are made: `replicates` draws, the middle `confidence` of them, from `seed`."""

    replicates: int = 1000
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.replicates < 100:
            raise ClarifyError(f"{self.replicates} replicates are too few for an interval: use 100 or more.")
        if not 0 < self.confidence < 1:
            raise ClarifyError(f"The confidence is {self.confidence}: it must lie between 0 and 1.")
        if self.seed < 0:
            raise ClarifyError(f"The seed is {self.seed}: it must not be below 0.")

    @property
    def z(self) -> float:
        """How many standard errors a normal interval of this confidence reaches."""
        return NormalDist().inv_cdf((1 + self.confidence) / 2)

    def in_json(self) -> dict[str, Any]:
        return {
            "method": "multinomial bootstrap of the contingency cells, percentile intervals; with the values "
            "that z^2 more rows in an empty cell would give (Wilson)",
            "replicates": self.replicates,
            "confidence": self.confidence,
            "seed": self.seed,
        }


THOUSAND = Intervals()


def resampled(contrast: Contrast, replicates: int, rng: np.random.Generator) -> Contrast:
    """`replicates` tables as they might have come from the same population."""
    rows = contrast.cells if contrast.rows is None else contrast.rows
    drawn = _drawn(rows, replicates, rng)
    flips = None if contrast.flips is None else _drawn(_as_rows(contrast.flips, contrast), replicates, rng)
    return Contrast(_weighed(drawn, contrast, rng), flips)


def _as_rows(flips: Counts, contrast: Contrast) -> Counts:
    """Weighted flips as so many equal rows as would be as informative (Kish's effective sample size)."""
    if contrast.squares is None:
        return flips
    return np.asarray(flips * flips.sum() / contrast.squares[:, 1].sum())


def _drawn(rows: Counts, replicates: int, rng: np.random.Generator) -> Counts:
    """Multinomial draws of all rows over the cells that have some."""
    filled = rows > 0
    drawn = np.zeros((replicates, *rows.shape))
    total = rows.sum()
    drawn[:, filled] = rng.multinomial(round(total), rows[filled] / total, replicates)
    return drawn


def _weighed(drawn: Counts, contrast: Contrast, rng: np.random.Generator) -> Counts:
    """Drawn numbers of rows as weights: their mean in the cell, and its spread over that many rows."""
    if contrast.rows is None or contrast.squares is None:
        return drawn
    rows = np.maximum(contrast.rows, 1)
    mean = contrast.cells / rows
    variance = np.maximum(contrast.squares / rows - mean**2, 0)
    return np.maximum(drawn * mean + rng.standard_normal(drawn.shape) * np.sqrt(drawn * variance), 0)


def unrelated(contrast: Contrast, replicates: int, rng: np.random.Generator) -> Contrast:
    """`replicates` tables as they might have come if facet and label had nothing to do with each other.

    Weighted rows count as so many equal ones as would be as informative (Kish's effective sample size).
    """
    labels = contrast.labels
    sizes = labels.sum(axis=-1)
    if contrast.squares is not None:
        squares = contrast.squares.sum(axis=(-4, -2, -1))
        sizes = np.where(squares > 0, sizes**2 / np.maximum(squares, 1e-300), 0)
    pooled = labels.sum(axis=0) / labels.sum()
    drawn = [rng.multinomial(round(n), pooled, replicates) for n in sizes.tolist()]
    return Contrast(np.stack(drawn, axis=1).astype(np.float64)[:, None, :, :, None])


def unseen(contrast: Contrast, stage: Stage, more: float) -> Contrast | None:
    """A table for each empty cell, with `more` rows in it, spread over the groups as its side is; or None.

    Before training there are no predictions, and cells are those of the labels.
    """
    counts = contrast.table if stage == POST_TRAINING else contrast.table.sum(axis=-1, keepdims=True)
    empty = np.argwhere((counts == 0) & (counts.sum(axis=(-2, -1), keepdims=True) > 0))
    if not len(empty):
        return None
    tables = np.repeat(contrast.cells[None], len(empty), axis=0)
    for table, (side, label, prediction) in zip(tables, empty, strict=True):
        weights = contrast.cells[:, side].sum(axis=(-2, -1))
        # `more` rows of the side's mean weight
        table[:, side, label, prediction] += more * weights / contrast.sizes[side].sum()
    return Contrast(tables)


def unseen_flips(contrast: Contrast, more: float) -> Contrast | None:
    """The same of the flip test's counts."""
    if contrast.flips is None or contrast.flips.all() or not contrast.flips.any():
        return None
    empty = contrast.flips == 0
    flips = contrast.flips + more * np.eye(len(empty))[empty] * contrast.flips.sum() / contrast.sizes[1].sum()
    return Contrast(np.repeat(contrast.cells[None], len(flips), axis=0), flips)


def with_intervals(
    records: Sequence[dict[str, Any]], metrics: Sequence[Metric], contrast: Contrast, how: Intervals, key: int
) -> list[dict[str, Any]]:
    """Clarify's records of metrics, each with a confidence interval and a p-value where it has a value."""
    rng = np.random.default_rng([how.seed, key])
    replicates = resampled(contrast, how.replicates, rng)
    chance = unrelated(contrast, how.replicates, rng)
    moved = unseen(contrast, metrics[0].stage, how.z**2) if metrics else None
    flipped = unseen_flips(contrast, how.z**2)
    found = []
    for m, record in zip(metrics, records, strict=True):
        if record["value"] is not None:
            value = float(record["value"])
            sureness = _sureness(m, value, replicates, chance, how)
            more = flipped if m.name == "FT" else moved
            found.append(record | (sureness if more is None else _widened(m, value, sureness, more, how)))
        else:
            found.append(record)
    return found


def _sureness(
    m: Metric, value: float, replicates: Contrast, chance: Contrast, how: Intervals
) -> dict[str, Any]:
    found = values(m, replicates)
    found = found[~np.isnan(found)]
    if len(found) < FEWEST_DEFINED * how.replicates:
        return {"confidence_interval": None, "p_value": None, "interval_error": _TOO_FEW}
    ends = np.quantile(found, [(1 - how.confidence) / 2, (1 + how.confidence) / 2], method="inverted_cdf")
    return {
        "confidence_interval": [in_json(float(end)) for end in ends],
        "standard_error": float(found.std(ddof=1)) if np.isfinite(found).all() else None,
        "p_value": _p_value(m, value, found, chance),
    }


def _widened(
    m: Metric, value: float, sureness: dict[str, Any], moved: Contrast, how: Intervals
) -> dict[str, Any]:
    """The same with the values of `moved` in the interval, and a p-value and standard error that fit it."""
    ends = sureness["confidence_interval"]
    if ends is None:
        return sureness
    low, high = map(float, ends)
    others = [float(number) for number in values(m, moved) if not np.isnan(number)]
    new_low, new_high = min(low, *others), max(high, *others)
    if (new_low, new_high) == (low, high):
        return sureness
    sureness = sureness | {"confidence_interval": [in_json(new_low), in_json(new_high)]}
    reach = max(value - new_low, new_high - value)
    if not np.isfinite(reach):
        return sureness | {"standard_error": None, "p_value": None}
    sureness["standard_error"] = max(sureness["standard_error"] or 0.0, reach / how.z)
    if m.tested and not m.scale.one_sided and (toward := _reach(value, m.scale.fair, new_low, new_high)):
        normal = 2 * NormalDist().cdf(-how.z * abs(value - m.scale.fair) / toward)
        sureness["p_value"] = max(sureness["p_value"], normal)
    return sureness


def _reach(value: float, fair: float, low: float, high: float) -> float:
    """How far the interval reaches from the value toward the fair value."""
    return value - low if value > fair else high - value


_TOO_FEW = "Most draws from these few rows leave the metric without a value."


def _p_value(m: Metric, value: float, found: Counts, chance: Contrast) -> float | None:
    """How easily chance alone gives such a value.

    Two-sided, from the share of replicates on the other side of the fair value. Where the fair value is the
    least there is, no replicate lies beyond it: there the value is compared with draws under no disparity.
    """
    if not m.tested:
        return None
    if m.scale.one_sided:
        null = values(m, chance)
        extreme = np.count_nonzero(np.abs(null[~np.isnan(null)]) >= abs(value) - 1e-12)
        return (extreme + 1) / (np.count_nonzero(~np.isnan(null)) + 1)
    below = np.count_nonzero(found <= m.scale.fair)
    above = np.count_nonzero(found >= m.scale.fair)
    return min(1.0, 2 * (min(below, above) + 1) / (len(found) + 1))
