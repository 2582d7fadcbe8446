"""A forecasting model and what it answers, checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from clary.clarify.errors import ClarifyError
from clary.clarify.time_series.panel import Floats, Series

Forecast = Callable[[Sequence[Series]], Sequence[ArrayLike]]
"""A model: series in, a forecast for each out, its numbers step by step into the future."""


def ask(forecast: Forecast, items: Sequence[Series]) -> list[Floats]:
    """One forecast for each item; ClarifyError unless they are lists of finite numbers."""
    try:
        answers = list(forecast(items))
    except ClarifyError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ClarifyError(f"The model failed on {len(items)} series: {reason}") from error
    if len(answers) != len(items):
        raise ClarifyError(f"The model answered {len(answers)} forecasts for {len(items)} series.")
    return [_numbers(answer, item) for answer, item in zip(answers, items, strict=True)]


def _numbers(answer: ArrayLike, item: Series) -> Floats:
    try:
        found = np.atleast_1d(np.asarray(answer, dtype=float))
    except (TypeError, ValueError) as error:
        raise ClarifyError(
            f"The model's forecast of item {item.item_id!r} is no list of numbers: {answer!r:.80}."
        ) from error
    if found.ndim != 1 or not len(found):
        raise ClarifyError(
            f"The model's forecast of item {item.item_id!r} must be one number for each step ahead, "
            f"not {answer!r:.80}."
        )
    if not np.isfinite(found).all():
        raise ClarifyError(f"The model's forecast of item {item.item_id!r} has NaN or infinite numbers.")
    return found


def equally_far(item: Series, forecasts: Sequence[Floats]) -> Floats:
    """The forecasts of one item as a matrix; ClarifyError unless all look equally far ahead."""
    lengths = sorted({len(forecast) for forecast in forecasts})
    if len(lengths) > 1:
        raise ClarifyError(
            f"The model's forecasts of item {item.item_id!r} have different lengths "
            f"({', '.join(map(str, lengths))} steps): it must look equally far ahead each time."
        )
    return np.stack(forecasts)
