"""Captured events as the table that an analysis reads: features, label, predicted label."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clary.clarify.config import AnalysisConfig, Key, parse
from clary.clarify.dataset import find
from clary.clarify.errors import ClarifyError
from clary.clarify.monitoring.captures import (
    CSV,
    JSON,
    LINES,
    Body,
    Event,
    between,
    captured,
    ground_truth,
    merged,
)
from clary.clarify.predictions import Prediction, labels

KIND = "application/sagemakercapturejson"
PREDICTED = "predicted_label"
Config = dict[str, Any]
Log = Callable[[str], None]
Row = Any
"""One row of a body: a list of cells, or what a line or an item of JSON says."""


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
    left_out = ("features", "dataset_uri", "predicted_label")
    here = {key: value for key, value in config.items() if key not in left_out}
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


def _kind(body: Body | None) -> str:
    return CSV if body is None else body.kind


def _features(events: list[Event], config: AnalysisConfig) -> tuple[pd.DataFrame, list[int]]:
    """The captured inputs as a table, and how many rows each event has."""
    parts = [_rows(event.input, config.features, f"{event.place}: endpointInput") for event in events]
    widths = {len(row) if isinstance(row, list) else 1 for rows in parts for row in rows}
    if len(widths) != 1:
        raise ClarifyError(
            f"The captured requests have {', '.join(map(str, sorted(widths)))} values a row: they must have "
            "equally many."
        )
    frame = _typed([row if isinstance(row, list) else [row] for rows in parts for row in rows])
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


def _rows(body: Body | None, path: str | None, what: str, count: int | None = None) -> list[Row]:
    """The rows that a body holds, `count` of them where that is known; in JSON at `path`."""
    if body is None:
        raise ClarifyError(f"{what} was not captured: capture requests and responses.")
    if body.kind == CSV:
        if path is not None:
            raise ClarifyError(
                f"{what} is CSV, where the path {path!r} finds nothing: give a position from 0."
            )
        return [line for line in csv.reader(io.StringIO(body.text)) if line]
    try:
        if body.kind == LINES:
            return [_at(path, json.loads(line)) for line in body.text.splitlines() if line.strip()]
        if body.kind == JSON:
            return _items(_at(path, json.loads(body.text)), count)
    except json.JSONDecodeError as error:
        raise ClarifyError(f"{what} is not {body.kind}: {error}.") from error
    raise ClarifyError(f"{what} is {body.kind!r}: only {CSV}, {LINES} and {JSON} can be read.")


def _at(path: str | None, document: Any) -> Any:
    return document if path is None else find(path, document)


def _items(found: Any, count: int | None) -> list[Row]:
    """A list of rows, or one row: a list of lists is rows, and so is one as long as there are rows."""
    several = isinstance(found, list) and found and (isinstance(found[0], list | dict) or len(found) == count)
    return found if several else [found]


def _typed(rows: list[list[Any]]) -> pd.DataFrame:
    """Cells with the types that a CSV data set would have; values of JSON have theirs."""
    if not rows or not all(isinstance(cell, str) for cell in rows[0]):
        return pd.DataFrame(rows).infer_objects()
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    text.seek(0)
    return pd.read_csv(text, header=None, keep_default_na=False, na_values=[""], skip_blank_lines=False)


def _each(body: Body | None, count: int, path: str | None, what: str) -> list[Row]:
    """As many rows as the request has; a single line of CSV may hold them all."""
    rows = _rows(body, path, what, count)
    if len(rows) == 1 and count > 1 and isinstance(rows[0], list) and len(rows[0]) == count:
        rows = [[cell] for cell in rows[0]]
    if len(rows) != count:
        raise ClarifyError(f"{what} has {len(rows)} rows for the {count} of the request.")
    return rows


def _truths(events: list[Event], rows: list[int]) -> Any:
    found = [
        row[0] if isinstance(row, list) else row
        for event, count in zip(events, rows, strict=True)
        for row in _each(event.truth, count, None, f"{event.place}: the ground truth")
    ]
    return _typed([[cell] for cell in found])[0].to_numpy()


def _predicted(events: list[Event], rows: list[int], table: pd.DataFrame, config: AnalysisConfig) -> Any:
    """The captured answers as predicted labels."""
    key = config.predictor.label if config.predicted_label is None else config.predicted_label
    prediction = _prediction(_column(events, rows), key, config.predictor.probability)
    label, headers = table.iloc[:, -1], config.predictor.label_headers
    found = labels(prediction, label, config.label_values_or_threshold, config.probability_threshold, headers)
    return _as_labels(found, label, config)


def _column(events: list[Event], rows: list[int]) -> Callable[[Key | None], list[Any]]:
    """What stands at a position or a path of the captured answers, for each row; without one, all."""

    def pick(key: Key | None) -> list[Any]:
        place = None if key is None or not str(key).isdigit() else int(key)
        path = str(key) if key is not None and place is None else None
        found = [
            row
            for event, count in zip(events, rows, strict=True)
            for row in _each(event.output, count, path, f"{event.place}: endpointOutput")
        ]
        return found if place is None else [_cell(row, place) for row in found]

    return pick


def _cell(row: Row, place: int) -> Any:
    if not isinstance(row, list) or place >= len(row):
        raise ClarifyError(f"A captured response is {row!r:.80}: there is no column {place} in it.")
    return row[place]


def _as_labels(found: Any, label: Any, config: AnalysisConfig) -> Any:
    """Flags as values of the label, so that a column can hold them."""
    if isinstance(found, pd.Series):
        return found.to_numpy()
    positive = config.label_values_or_threshold[0]
    others = [value for value in label.unique().tolist() if str(value) != str(positive)]
    return np.where(found, positive, others[0] if others else f"not {positive}")


def _prediction(
    pick: Callable[[Key | None], list[Any]], key: Key | None, probability: Key | None
) -> Prediction:
    """Labels where `key` leads, scores where `probability` leads; without either, numbers are scores."""
    scores = None if probability is None else _numbers(pick(probability))
    if key is not None:
        return Prediction(np.array(pick(key), dtype=object), scores)
    if probability is not None:
        return Prediction(scores=scores)
    answers = pick(None)
    try:
        return Prediction(scores=_numbers(answers))
    except ClarifyError:
        firsts = [row[0] if isinstance(row, list) else row for row in answers]
        return Prediction(labels=np.array(firsts, dtype=object))


def _numbers(values: list[Any]) -> Any:
    try:
        return np.array(values, dtype=float).reshape(len(values), -1)
    except (TypeError, ValueError) as error:
        raise ClarifyError(f"The captured scores are not numbers: {values[0]!r:.80}.") from error
