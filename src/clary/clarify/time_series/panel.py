"""The series of several items, as a forecasting model gets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.errors import ClarifyError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """One item: its past, what goes with it, and what never changes about it.

    The related series have a value for each timestamp; the target may end before them, since some of what
    goes with the future, a calendar say, is known.
    """

    item_id: Any
    timestamps: Sequence[Any]
    target: Floats
    """Shape (past steps,)."""
    related: Floats
    """Shape (related series, steps)."""
    static: Sequence[Any] = ()

    @property
    def steps(self) -> int:
        return len(self.timestamps)


@dataclass(frozen=True)
class Panel:
    """All items, with the names of what is known of each."""

    items: Sequence[Series]
    target: str
    related: Sequence[str] = ()
    static: Sequence[str] = ()


def check_panel(panel: Panel) -> None:
    """ClarifyError unless every item is what Series says: sorted steps, shapes that fit, finite numbers."""
    for series in panel.items:
        item, steps = series.item_id, series.steps
        check_times(item, series.timestamps)
        target, related = np.asarray(series.target), np.asarray(series.related)
        if target.ndim != 1 or not 0 < len(target) <= steps:
            raise ClarifyError(
                f"The target of item {item!r} has the shape {target.shape}: give one number for each of its "
                f"{steps} timestamps, or for the first of them."
            )
        if related.shape != (len(panel.related), steps):
            raise ClarifyError(
                f"The related series of item {item!r} have the shape {related.shape}: give "
                f"({len(panel.related)}, {steps}), one line of numbers for each series in Panel.related."
            )
        if len(series.static) != len(panel.static):
            raise ClarifyError(
                f"Item {item!r} has {len(series.static)} static covariates, but Panel.static names "
                f"{len(panel.static)}."
            )
        for name, numbers in (("target", target), ("related series", related)):
            if numbers.size and not np.isfinite(numbers.astype(float)).all():
                raise ClarifyError(f"The {name} of item {item!r} has a missing or infinite number: fill it.")


def check_times(item: Any, timestamps: Sequence[Any]) -> None:
    """ClarifyError unless each timestamp is later than the one before it."""
    for position, timestamp in enumerate(timestamps):
        if timestamp is None or timestamp == "":
            raise ClarifyError(f"Item {item!r} has no timestamp at its step {position}: give every one.")
    times = moments(item, timestamps)
    for position in range(1, len(times)):
        earlier, later = times[position - 1], times[position]
        if earlier == later:
            raise ClarifyError(f"Item {item!r} has the timestamp {timestamps[position]!r} twice.")
        if earlier > later:
            raise ClarifyError(
                f"Item {item!r} has {timestamps[position]!r} after {timestamps[position - 1]!r}: sort its "
                "steps by time."
            )


def moments(item: Any, timestamps: Sequence[Any]) -> Any:
    """Timestamps that can be compared: numbers, or dates."""
    if all(isinstance(t, int | float) and not isinstance(t, bool) for t in timestamps):
        return np.array(timestamps, dtype=float)
    try:
        if not all(isinstance(t, str) for t in timestamps):
            raise ValueError("neither all numbers nor all text")
        return pd.DatetimeIndex(pd.to_datetime(list(timestamps), format="ISO8601", utc=True))
    except ValueError as error:
        raise ClarifyError(
            f"The timestamps of item {item!r} must all be numbers, or all dates such as 2024-01-31 or "
            f"2024-01-31 10:00:00, not {', '.join(map(repr, timestamps[:3]))}."
        ) from error


def regular(item: Any, timestamps: Sequence[Any]) -> bool:
    """Whether the steps are equally long, by the calendar where they are dates."""
    times = moments(item, timestamps)
    if len(times) < 3:
        return True
    if isinstance(times, pd.DatetimeIndex):
        return pd.infer_freq(times) is not None
    return bool(np.allclose(np.diff(times), times[1] - times[0]))
