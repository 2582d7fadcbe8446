"""Labels that are quantities as they are, where Clarify's metrics only know "above the threshold"."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.fairness.contrast import Counts, Flags
from clary.clarify.fairness.counting.tally import summed
from clary.clarify.fairness.intervals import Intervals
from clary.clarify.fairness.metrics import POST_TRAINING, Stage
from clary.clarify.fairness.tabulation import Tabulation

Values = NDArray[np.float64]

GRID = 256
"""Bins, of equally many rows, on which the replicates of an interval are drawn."""


@dataclass(frozen=True)
class Spread:
    """Two sides' rows over ascending values: `cells[..., side, i]` rows (or their weight) near `at[i]`.

    Side 0 is all others (a), side 1 the facet (d). `means` are the exact means of the sides.
    """

    at: Values
    cells: Counts
    means: Counts

    @property
    def gaps(self) -> Counts:
        """The difference of the cumulative shares at each value, d's less a's."""
        shares = self.cells / self.cells.sum(axis=-1, keepdims=True)
        cumulative = shares.cumsum(axis=-1)
        return np.asarray(cumulative[..., 1, :] - cumulative[..., 0, :])


@dataclass(frozen=True)
class Quantity:
    """A measure of a quantity's distribution on the two sides."""

    name: str
    description: str
    compute: Callable[[Spread], Counts]
    one_sided: bool


MEASURES = (
    Quantity(
        "DM",
        "Difference in Means (a - d)",
        lambda s: np.asarray(s.means[..., 0] - s.means[..., 1]),
        one_sided=False,
    ),
    Quantity(
        "KS_CDF",
        "Kolmogorov-Smirnov Distance of the Distribution Functions",
        lambda s: np.asarray(np.abs(s.gaps).max(axis=-1)),
        one_sided=True,
    ),
    Quantity(
        "WD",
        "Wasserstein Distance",
        lambda s: np.asarray((np.abs(s.gaps[..., :-1]) * np.diff(s.at)).sum(axis=-1)),
        one_sided=True,
    ),
)


@dataclass(frozen=True)
class QuantityBias:
    """One facet value: its quantities' distributions against all others'."""

    facet: str
    value_or_threshold: str
    quantities: dict[str, list[dict[str, Any]]]
    """Before training of the labels; after it of the predictions, and of their errors."""

    def in_json(self) -> dict[str, Any]:
        return {"value_or_threshold": self.value_or_threshold, **self.quantities}


def regression(tabulation: Tabulation, stage: Stage, how: Intervals | None) -> dict[str, list[QuantityBias]]:
    """The measures of every facet; none where label or predictions are no quantity, or without the rows."""
    rows, label = tabulation.rows, tabulation.table.axes[tabulation.label_axis]
    if rows is None or tabulation.positive.threshold is None:
        return {}
    values = {"labels": pd.to_numeric(rows.label).to_numpy(np.float64)}
    if stage == POST_TRAINING:
        if rows.predicted is None or pd.api.types.is_bool_dtype(rows.predicted.dtype):
            return {}
        predicted = pd.to_numeric(rows.predicted).to_numpy(np.float64)
        values = {"predictions": predicted, "errors": predicted - values["labels"]}
    known = np.logical_and.reduce([np.isfinite(v) for v in values.values()])
    weights = None if rows.weights is None else rows.weights[known]
    found: dict[str, list[QuantityBias]] = {}
    for axis, (name, selections) in enumerate(tabulation.facets.items()):
        found[name] = []
        for chosen in selections:
            sensitive = rows.where([(axis, chosen.flags)])[known]
            quantities = {
                what: spread_records(v[known], sensitive, weights, how, f"{label.name} {axis}={chosen.text}")
                for what, v in values.items()
            }
            found[name].append(QuantityBias(name, chosen.text, quantities))
    return found


def spread_records(
    values: Values, sensitive: Flags, weights: Values | None, how: Intervals | None, key: str
) -> list[dict[str, Any]]:
    """The measures of a quantity, which has a value in every row, in the form of Clarify's metrics."""
    if sensitive.all() or not sensitive.any():
        reason = "One side has no rows: nothing to compare."
        return [
            {"name": m.name, "description": m.description, "value": None, "error": reason} for m in MEASURES
        ]
    weights = np.ones(len(values)) if weights is None else weights
    exact = _spread(values, sensitive, weights, *_places(values))
    records = [
        {"name": m.name, "description": m.description, "value": float(m.compute(exact))} for m in MEASURES
    ]
    if how is None:
        return records
    bins = _bins(values, sensitive, weights)
    rng = np.random.default_rng([how.seed, zlib.crc32(key.encode())])
    replicates, chance = _resampled(bins, how.replicates, rng), _unrelated(bins, how.replicates, rng)
    seen = _on_grid(bins, bins.rows[None])
    return [
        record | _sureness(m, float(m.compute(seen)[0]), replicates, chance, how.confidence)
        for m, record in zip(MEASURES, records, strict=True)
    ]


def _places(values: Values) -> tuple[Values, NDArray[np.intp]]:
    """The different values in order, and which of them each row has."""
    codes, at = pd.factorize(values, sort=True)
    return np.asarray(at), codes


def _spread(values: Values, sensitive: Flags, weights: Values, at: Values, codes: NDArray[np.intp]) -> Spread:
    key = sensitive * len(at) + codes
    cells = np.bincount(key, weights, 2 * len(at)).reshape(2, -1)
    totals = np.bincount(sensitive, weights * values, 2)
    return Spread(at, np.asarray(cells, np.float64), totals / cells.sum(axis=1))


@dataclass(frozen=True)
class _Bins:
    """Rows by side and bin of the values, with the weights and values of a bin's rows."""

    at: Values
    rows: Counts
    weight: Values
    mean: Values
    variance: Values


def _bins(values: Values, sensitive: Flags, weights: Values) -> _Bins:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, GRID + 1)[1:-1], method="lower"))
    codes = np.searchsorted(edges, values, side="left")
    key, size = sensitive * (len(edges) + 1) + codes, 2 * (len(edges) + 1)

    def by_cell(of: Values) -> Values:
        return summed(key, of, size).reshape(2, -1)

    rows = by_cell(np.ones(len(values)))
    weight = by_cell(weights)
    safe = np.where(weight > 0, weight, 1)
    mean = by_cell(weights * values) / safe
    variance = np.maximum(by_cell(weights * values**2) / safe - mean**2, 0)
    at = np.bincount(codes, values, len(edges) + 1) / np.maximum(
        np.bincount(codes, minlength=len(edges) + 1), 1
    )
    return _Bins(at, rows, weight / np.maximum(rows, 1), mean, variance)


def _on_grid(bins: _Bins, rows: Counts, rng: np.random.Generator | None = None) -> Spread:
    """Numbers of rows in the bins as spreads; with `rng` the values vary within the bins as in the data."""
    cells = rows * bins.weight
    totals = cells.sum(axis=-1)
    means = (cells * bins.mean).sum(axis=-1) / totals
    if rng is not None:
        noise = np.sqrt((cells * bins.weight * bins.variance).sum(axis=-1)) / totals
        means = means + rng.standard_normal(means.shape) * noise
    return Spread(bins.at, cells, means)


def _resampled(bins: _Bins, replicates: int, rng: np.random.Generator) -> Spread:
    shares = bins.rows.ravel() / bins.rows.sum()
    drawn = rng.multinomial(round(bins.rows.sum()), shares, replicates).reshape(-1, *bins.rows.shape)
    filled = drawn[(drawn.sum(axis=-1) > 0).all(axis=-1)]
    return _on_grid(bins, filled.astype(np.float64), rng)


def _unrelated(bins: _Bins, replicates: int, rng: np.random.Generator) -> Spread:
    pooled = bins.rows.sum(axis=0) / bins.rows.sum()
    sides = [rng.multinomial(round(n), pooled, replicates) for n in bins.rows.sum(axis=1)]
    both = _Bins(bins.at, bins.rows, np.ones_like(bins.weight), bins.mean, bins.variance)
    return _on_grid(both, np.stack(sides, axis=1).astype(np.float64))


def _sureness(
    m: Quantity, seen: float, replicates: Spread, chance: Spread, confidence: float
) -> dict[str, Any]:
    found = m.compute(replicates)
    ends = np.quantile(found, [(1 - confidence) / 2, (1 + confidence) / 2], method="inverted_cdf")
    if m.one_sided:
        null = m.compute(chance)
        p_value = (int(np.count_nonzero(null >= seen - 1e-12)) + 1) / (len(null) + 1)
    else:
        least = int(min(np.count_nonzero(found <= 0), np.count_nonzero(found >= 0)))
        p_value = min(1.0, 2 * (least + 1) / (len(found) + 1))
    return {"confidence_interval": [float(end) for end in ends], "p_value": p_value}
