"""The time series of an analysis: read, explained, written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from clary.clarify.config.analysis import AnalysisConfig
from clary.clarify.data.roles import NO_ROLES
from clary.clarify.errors import ClarifyError
from clary.clarify.findings import Findings
from clary.clarify.time_series.dataset import read_panel
from clary.clarify.time_series.explain import explain_forecasts, ready
from clary.clarify.time_series.explanation import ForecastExplanation
from clary.clarify.time_series.forecasts import Forecast
from clary.clarify.time_series.panel import Panel

Log = Callable[[str], None]


def analyze_series(
    config: AnalysisConfig,
    asked: Mapping[str, Any],
    data: pd.DataFrame | Panel | str | Path,
    forecast: Forecast | None,
    log: Log,
) -> Findings:
    """Explain the forecasts of a panel, or of the one in the JSON files at a path."""
    settings = config.asymmetric_shapley_value
    if settings is None or isinstance(data, pd.DataFrame):
        raise ClarifyError(
            "A panel of series goes with methods.asymmetric_shapley_value, a table with the others."
        )
    if forecast is None:
        raise ClarifyError(
            "This analysis needs a model: set predictor.model_name or predictor.endpoint_name."
        )
    panel = data if isinstance(data, Panel) else load(Path(data), config)
    steps = sum(series.steps for series in panel.items)
    log(f"Explaining the forecasts of {len(panel.items):,} items with {steps:,} time steps.")
    found = explain_forecasts(panel, forecast, settings, _progress(log))
    log(
        f"Asked the model about {found.evaluations:,} series; the largest efficiency gap is "
        f"{found.efficiency_gap:.2g}."
    )
    for warning in found.warnings:
        log(warning)
    return Findings(config, asked, NO_ROLES, steps, forecasts=found)


def load(path: Path, config: AnalysisConfig) -> Panel:
    """The panel that a configuration describes."""
    if config.time_series_data_config is None:
        raise ClarifyError(
            "time_series_data_config is missing: it says where the series are in the data set."
        )
    return read_panel(path, config.time_series_data_config, config.headers)


def check(panel: Panel, config: AnalysisConfig) -> Panel:
    """The panel; ClarifyError where the settings do not fit it, before any model is asked."""
    if config.asymmetric_shapley_value is not None:
        ready(panel, config.asymmetric_shapley_value)
    return panel


def _progress(log: Log) -> Callable[[int, int], None]:
    return lambda done, total: log(f"Explained {done:,} of {total:,} items.")


def write_lines(found: ForecastExplanation, folder: Path) -> None:
    """out.jsonl in its place below `folder`."""
    path = folder / found.path
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in found.lines())
