"""One analysis, of rows, images or series, for the job and the command alike.

What can be wrong with the data and the configuration is said before a model is started for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from clary.clarify import analyze, monitor
from clary.clarify.config.analysis import AnalysisConfig, parse
from clary.clarify.data.dataset import read
from clary.clarify.data.roles import cast
from clary.clarify.images.files import checked
from clary.clarify.monitoring.drift import Drift
from clary.clarify.text.columns import text_columns
from clary.clarify.time_series import analysis as series
from clary.containers.clarify import forecaster
from clary.containers.clarify.archive import Archive
from clary.containers.clarify.endpoint import Endpoint, Log
from clary.containers.clarify.image_model import of_images


@dataclass(frozen=True)
class Task:
    """What is to be analysed, on this machine."""

    config: dict[str, Any]
    """analysis_config.json with every URI made a path."""
    data: pd.DataFrame | Path
    output: Path
    start: Callable[[AnalysisConfig], Endpoint | Archive]
    """Gives the model; called once, and only if one is needed."""
    log: Log
    constraints: Mapping[str, Any] | None = None
    """The baseline that the data is held against."""
    output_uri: str = ""
    """Where the output will lie, if not where it is written."""


def execute(task: Task) -> dict[str, Any] | Drift:
    """analysis.json's content; with constraints, how far the data is from the baseline."""
    config = parse(task.config)
    if config.asymmetric_shapley_value is not None:
        return _series(task, config)
    if config.images is not None:
        return _images(task, config)
    data, model = task.data, None
    if config.needs_model:
        data = data if isinstance(data, pd.DataFrame) else read(data, config)
        features = cast(data, config).features
        if config.shap is not None and config.shap.text_config is not None:
            task.log(f"Text columns: {', '.join(text_columns(features, config.shap.text_config))}.")
        task.log(f"Read the data set: {len(data):,} rows, {data.shape[1]} columns.")
        model = task.start(config)
    trees = None if model is None else model.trees
    if task.constraints is None:
        return analyze(task.config, data, model, task.output, task.log, trees)
    return monitor(task.constraints, task.config, data, model, task.output, task.log, trees)


def _series(task: Task, config: AnalysisConfig) -> dict[str, Any]:
    template = forecaster.template(config)
    panel = series.check(forecaster.asked_about(series.load(_path(task), config), template), config)
    forecast = forecaster.Forecaster(task.start(config), template)
    return analyze(
        task.config, panel, None, task.output, task.log, forecast=forecast, output_uri=task.output_uri
    )


def _images(task: Task, config: AnalysisConfig) -> dict[str, Any]:
    task.log(f"Read the data set: {len(checked(_path(task))):,} images.")
    model = of_images(task.start(config), config)
    return analyze(task.config, _path(task), model, task.output, task.log)


def _path(task: Task) -> Path:
    assert isinstance(task.data, Path), "captured requests are rows"
    return task.data
