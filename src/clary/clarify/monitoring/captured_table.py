"""Captured events as the table that an analysis reads: features, label, predicted label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clary.clarify.config.analysis import AnalysisConfig, Key, parse
from clary.clarify.config.schema import must_be_an_object
from clary.clarify.data.predictions import labels
from clary.clarify.errors import ClarifyError
from clary.clarify.monitoring.captured_rows import answers, each_row, prediction_of, rows_of, typed
from clary.clarify.monitoring.captures import CSV, Body, Event, between, captured, ground_truth, merged

KIND = "application/sagemakercapturejson"
PREDICTED = "predicted_label"
Config = dict[str, Any]
Log = Callable[[str], None]


def is_captured(config: Mapping[str, Any]) -> bool:
    """Whether the data set of a configuration is captured requests."""
    return str(config.get("dataset_type", "")).lower() == KIND


def opened(
    config: Mapping[str, Any],
    data: pd.DataFrame | str | Path,
    truth: str | Path | None = None,
    window: tuple[str, str] | None = None,
    log: Log = lambda line: None,
) -> tuple[Config, pd.DataFrame | str | Path]:
    """Captured requests as a table, and any other data as it is."""
    must_be_an_object(config)
    if is_captured(config) and not isinstance(data, pd.DataFrame):
        return tabulated(config, Path(data), None if truth is None else Path(truth), window, log)
    if truth is not None:
        raise ClarifyError(
            f"Ground truth is merged with captured requests, but dataset_type is not {KIND}: leave it out, "
            "or put the label into the data."
        )
    return dict(config), data


def tabulated(
    config: Mapping[str, Any],
    data: Path,
    truth: Path | None = None,
    window: tuple[str, str] | None = None,
    log: Log = lambda line: None,
) -> tuple[Config, pd.DataFrame]:
    """A configuration of captured requests, and their files, as those of a table with headers.

    `truth` holds ground truth records by event; merged files have them in themselves. `window` is the first
    time and the one after the last. The label and the predicted label become columns; the model is spoken
    to in the content types that were captured, unless the configuration says otherwise.
    """
    asked = parse(config)
    events = captured(data)
    if window is not None:
        events = between(events, *window)
    if not events:
        raise ClarifyError(f"No request was captured at {data.name}: there is nothing to analyse.")
    if truth is not None:
        events = merged(events, ground_truth(truth), log)
    table, rows = _features(events, asked)
    headers = list(table.columns)
    if asked.label is not None and all(event.truth is not None for event in events):
        headers.append(_label_name(asked, len(headers)))
        table[headers[-1]] = _truths(events, rows)
    elif asked.pre_training_bias is not None or asked.post_training_bias is not None:
        raise ClarifyError("Captured requests have no labels: give the ground truth, too.")
    predicted = _predicted(events, rows, table, asked) if asked.post_training_bias is not None else None
    return _as_table(config, asked, events[0], headers, predicted), _with(table, predicted)


def _with(table: pd.DataFrame, predicted: Any) -> pd.DataFrame:
    return table if predicted is None else table.assign(**{PREDICTED: predicted})


def _as_table(
    config: Mapping[str, Any], asked: AnalysisConfig, first: Event, headers: list[str], predicted: Any
) -> Config:
    """The configuration of the table."""
    predictor = {"content_type": _kind(first.input), "accept_type": _kind(first.output)}
    left_out = ("features", "dataset_uri", "predicted_label", "joinsource_name_or_index")
    here = {key: value for key, value in config.items() if key not in left_out} | _by_name(config, headers)
    if asked.shap is None and asked.pdp is None:
        here.pop("predictor", None)
    else:
        here["predictor"] = predictor | dict(config.get("predictor", {}))
    here |= {"dataset_type": CSV, "headers": headers}
    if asked.label is not None:
        here["label"] = headers[-1]
    if predicted is not None:
        here |= {"headers": [*headers, PREDICTED], "predicted_label": PREDICTED}
    return here


def _by_name(config: Mapping[str, Any], columns: list[str]) -> Config:
    """Keys by name where they were positions in `headers`, and without what no request holds."""
    headers = config.get("headers") or columns

    def name(key: Key) -> Key:
        return headers[key] if isinstance(key, int) and 0 <= key < len(headers) else key

    here: Config = {}
    if "facet" in config:
        here["facet"] = [f | {"name_or_index": name(f["name_or_index"])} for f in config["facet"]]
    if "group_variable" in config:
        here["group_variable"] = name(config["group_variable"])
    if "excluded_columns" in config:
        here["excluded_columns"] = [n for n in map(name, config["excluded_columns"]) if n in columns]
    return here


def _kind(body: Body | None) -> str:
    return CSV if body is None else body.kind


def _features(events: list[Event], config: AnalysisConfig) -> tuple[pd.DataFrame, list[int]]:
    """The captured inputs as a table, and how many rows each event has."""
    parts = [rows_of(event.input, config.features, f"{event.place}: endpointInput") for event in events]
    if any(isinstance(row, dict) for rows in parts for row in rows):
        raise ClarifyError("The captured requests are JSON objects: set features to the path of the values.")
    widths = {len(row) if isinstance(row, list) else 1 for rows in parts for row in rows}
    if len(widths) != 1:
        raise ClarifyError(
            f"The captured requests have {', '.join(map(str, sorted(widths)))} values a row: they must have "
            "equally many."
        )
    frame = typed([row if isinstance(row, list) else [row] for rows in parts for row in rows])
    return frame.set_axis(_names(config, widths.pop()), axis=1), [len(rows) for rows in parts]


def _names(config: AnalysisConfig, width: int) -> list[str]:
    """The features' names: `headers` may also name the label and what no request holds."""
    if config.headers is None:
        return [f"column_{i}" for i in range(width)]
    other = _named(config, [config.label, config.predicted_label, config.joinsource_name_or_index])
    excluded = _named(config, config.excluded_columns)
    without = [name for name in config.headers if name not in other]
    for names in (config.headers, without, [n for n in without if n not in excluded], config.headers[:-1]):
        if len(names) == width:
            return list(names)
    raise ClarifyError(
        f"headers has {len(config.headers)} names, but the captured requests have {width} values a row: name "
        "each of them, and the label."
    )


def _named(config: AnalysisConfig, keys: list[Any]) -> set[str]:
    headers = config.headers or []
    positions = {headers[key] for key in keys if isinstance(key, int) and 0 <= key < len(headers)}
    return positions | {key for key in keys if isinstance(key, str)}


def _label_name(config: AnalysisConfig, features: int) -> str:
    """What the label's column is called: its name, or (for a position or a path) its header."""
    headers = config.headers or []
    if isinstance(config.label, int) and 0 <= config.label < len(headers):
        return headers[config.label]
    if isinstance(config.label, str) and (config.label in headers or len(headers) == features):
        return config.label
    return headers[-1] if len(headers) > features else "label"


def _truths(events: list[Event], rows: list[int]) -> Any:
    found = [
        row[0] if isinstance(row, list) else row
        for event, count in zip(events, rows, strict=True)
        for row in each_row(event.truth, count, None, f"{event.place}: the ground truth")
    ]
    return typed([[cell] for cell in found])[0].to_numpy()


def _predicted(events: list[Event], rows: list[int], table: pd.DataFrame, config: AnalysisConfig) -> Any:
    """The captured answers as predicted labels."""
    key = config.predictor.label if config.predicted_label is None else config.predicted_label
    prediction = prediction_of(answers(events, rows), key, config.predictor.probability)
    label, headers = table.iloc[:, -1], config.predictor.label_headers
    found = labels(prediction, label, config.label_values_or_threshold, config.probability_threshold, headers)
    return _as_labels(found, label, config)


def _as_labels(found: Any, label: Any, config: AnalysisConfig) -> Any:
    """Flags as values of the label, so that a column can hold them."""
    if isinstance(found, pd.Series):
        return found.to_numpy()
    positive = config.label_values_or_threshold[0]
    others = [value for value in label.unique().tolist() if str(value) != str(positive)]
    names = np.array([others[0] if others else f"not {positive}", positive], dtype=object)
    return names[np.asarray(found).astype(int)]
