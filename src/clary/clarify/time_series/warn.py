"""What a reader of an explanation of forecasts should know about its data and its model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from clary.clarify.time_series.explanation import SeriesExplanation
from clary.clarify.time_series.panel import Panel, regular
from clary.clarify.time_series.players import baseline_of
from clary.clarify.time_series.settings import SeriesBaseline

GAP = 1e-6
"""The efficiency gap, relative to the forecast, from which on the model is told to answer differently."""


def warnings_of(panel: Panel, found: Sequence[SeriesExplanation], baseline: SeriesBaseline) -> list[str]:
    """One sentence for each thing, with the items that it is true of."""
    uneven = [s.item_id for s in panel.items if not regular(s.item_id, s.timestamps)]
    level = [
        s.item_id for s in panel.items if np.array_equal(s.target, baseline_of(s, panel, baseline).target)
    ]
    unsteady = [
        item.series.item_id
        for item in found
        if item.efficiency_gap > GAP * max(1.0, float(np.abs(item.forecast).max()))
    ]
    return [
        sentence.format(_listed(items))
        for sentence, items in (
            (
                "The time steps of {} are not equally long. A request holds only the first timestamp: the "
                "model may take the steps for regular.",
                uneven,
            ),
            (
                f"The {panel.target} of {{}} equals its baseline at every step, so all its values are 0.",
                level,
            ),
            (
                "The model answers differently when it is asked again about {}, so the values do not add up "
                "to the forecast: make it deterministic.",
                unsteady,
            ),
        )
        if items
    ]


def _listed(items: Iterable[object]) -> str:
    names = [str(item) for item in items]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ("item " if len(names) == 1 else "items ") + ", ".join(names[:3]) + more
