"""What an explanation of forecasts is, and how Clarify writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clary.clarify.time_series.panel import Floats, Panel, Series
from clary.clarify.time_series.players import STATIC, Indices
from clary.clarify.time_series.settings import AsymmetricShapley


@dataclass(frozen=True)
class SeriesExplanation:
    """One item's forecast of K steps and the values of its n parts, which add up to it from the offset."""

    series: Series
    forecast: Floats
    """Shape (K,): what the model answers for the item as it is."""
    offset: Floats
    """Shape (K,): and where everything that is explained is unknown."""
    features: Indices | None
    """Shape (n,): the target (0), a related series, or a static covariate; None for whole time steps."""
    steps: Indices
    """Shape (n,): the step, or STATIC."""
    values: Floats
    """Shape (n, K)."""
    errors: Floats
    """Shape (n, K): the standard error by the orders that were drawn; 0 where exact, NaN where unknown."""
    efficiency_gap: float
    """The largest difference between the forecast and what the values add up to: the efficiency axiom."""

    def in_json(self, names: Sequence[str]) -> dict[str, Any]:
        """A line of out.jsonl; forecast, efficiency_gap and standard_errors are more than Clarify writes."""
        return {
            "item_id": self.series.item_id,
            "offset": self.offset.tolist(),
            "explanations": list(self._parts(names)),
            "forecast": self.forecast.tolist(),
            "efficiency_gap": self.efficiency_gap,
        }

    def _parts(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        drawn = bool(np.any(self.errors != 0))
        for i, step in enumerate(self.steps):
            part: dict[str, Any] = {}
            if self.features is not None:
                part["feature_name"] = names[self.features[i]]
            if step != STATIC:
                part["timestamp"] = self.series.timestamps[step]
            part["scores"] = self.values[i].tolist()
            if drawn:
                part["standard_errors"] = [
                    error if np.isfinite(error) else None for error in self.errors[i].tolist()
                ]
            yield part


@dataclass(frozen=True)
class ForecastExplanation:
    """All items' explanations."""

    settings: AsymmetricShapley
    panel: Panel
    items: Sequence[SeriesExplanation]
    evaluations: int
    """How many series the model was asked about."""
    warnings: Sequence[str] = ()

    @property
    def names(self) -> list[str]:
        """Of the features, by their numbers."""
        return [self.panel.target, *self.panel.related, *self.panel.static]

    @property
    def efficiency_gap(self) -> float:
        return max((item.efficiency_gap for item in self.items), default=0.0)

    @property
    def path(self) -> str:
        """Where the values are written, below the output."""
        settings = self.settings
        return f"asymmetric_shapley_value/{settings.granularity}_{settings.direction}/out.jsonl"

    def lines(self) -> Iterator[str]:
        """out.jsonl, one item a line."""
        for item in self.items:
            yield json.dumps(item.in_json(self.names), ensure_ascii=False, allow_nan=False)

    def in_json(self, output: str) -> dict[str, Any]:
        """The asymmetric_shapley_value part of analysis.json; `output` is where the output will lie."""
        return {
            "direction": self.settings.direction,
            "granularity": self.settings.granularity,
            "explanation_results_path": f"{output.rstrip('/')}/{self.path}" if output else self.path,
            "items": len(self.items),
            "efficiency_gap": self.efficiency_gap,
            "evaluations": self.evaluations,
            **({"warnings": list(self.warnings)} if self.warnings else {}),
        }
