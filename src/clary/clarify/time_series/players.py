"""What is known or unknown of a series, one by one, and the series with some of it unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.clarify.errors import ClarifyError
from clary.clarify.time_series.panel import Floats, Panel, Series
from clary.clarify.time_series.settings import SHAPLEY, SeriesBaseline

Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]

STATIC = -1
"""The step of what belongs to no step."""


@dataclass(frozen=True)
class Players:
    """The parts of a series in a row: the target step by step, each related series, the static covariates."""

    feature: Indices
    """0 is the target, then the related series, then the static covariates."""
    step: Indices


def players_of(series: Series) -> Players:
    related, steps = series.related.shape
    past, static = len(series.target), len(series.static)
    feature = [np.zeros(past), np.repeat(np.arange(1, 1 + related), steps), 1 + related + np.arange(static)]
    step = [np.arange(past), np.tile(np.arange(steps), related), np.full(static, STATIC)]
    return Players(np.concatenate(feature).astype(int), np.concatenate(step).astype(int))


def baseline_of(series: Series, panel: Panel, baseline: SeriesBaseline) -> Series:
    """The series of which nothing is known. ClarifyError where the static covariates have no baseline."""
    means = series.related.mean(axis=1, keepdims=True)
    return Series(
        series.item_id,
        series.timestamps,
        np.full(series.target.shape, series.target.mean() if baseline.target_time_series == "mean" else 0.0),
        np.zeros(series.related.shape) + (means if baseline.related_time_series == "mean" else 0.0),
        _static(series, panel, baseline),
    )


def _static(series: Series, panel: Panel, baseline: SeriesBaseline) -> Sequence[Any]:
    if baseline.static_covariates is None:
        return series.static
    where = f"methods.{SHAPLEY}.baseline.static_covariates"
    values = baseline.static_covariates.get(str(series.item_id))
    if values is None:
        raise ClarifyError(f"{where} lacks the item {series.item_id!r}: give every item a list of values.")
    if len(values) != len(panel.static):
        raise ClarifyError(
            f"{where}: {series.item_id!r} has {len(values)} values for {len(panel.static)} static covariates."
        )
    return values


def varying(series: Series, unknown: Series) -> Flags:
    """Which players differ from the baseline: for the others it is the same whether they are known."""
    static = [a != b for a, b in zip(series.static, unknown.static, strict=True)]
    return np.concatenate(
        [
            series.target != unknown.target,
            (series.related != unknown.related).ravel(),
            np.array(static, dtype=bool),
        ]
    )


def with_known(series: Series, unknown: Series, known: Flags) -> Series:
    """The series as it is where `known` says so, and as in the baseline elsewhere."""
    past, cells = len(series.target), series.related.size
    target, related, static = known[:past], known[past : past + cells], known[past + cells :]
    mixed: Floats = np.where(related.reshape(series.related.shape), series.related, unknown.related)
    return Series(
        series.item_id,
        series.timestamps,
        np.where(target, series.target, unknown.target),
        mixed,
        [a if k else b for k, a, b in zip(static, series.static, unknown.static, strict=True)],
    )
