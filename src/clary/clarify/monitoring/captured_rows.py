"""What captured bodies hold, row by row: features, labels, scores."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from clary.clarify.config.analysis import Key
from clary.clarify.data.dataset import find
from clary.clarify.data.predictions import Prediction
from clary.clarify.errors import ClarifyError
from clary.clarify.monitoring.captures import CSV, JSON, LINES, Body, Event

Row = Any
"""One row of a body: a list of cells, or what a line or an item of JSON says."""
Pick = Callable[[Key | None], list[Any]]


def rows_of(body: Body | None, path: str | None, what: str, count: int | None = None) -> list[Row]:
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


def typed(rows: list[list[Any]]) -> pd.DataFrame:
    """Cells with the types that a CSV data set would have; values of JSON have theirs."""
    if not rows or not all(isinstance(cell, str) for cell in rows[0]):
        return pd.DataFrame(rows).infer_objects()
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    text.seek(0)
    return pd.read_csv(text, header=None, keep_default_na=False, na_values=[""], skip_blank_lines=False)


def each_row(body: Body | None, count: int, path: str | None, what: str) -> list[Row]:
    """As many rows as the request has; a single line of CSV may hold them all."""
    rows = rows_of(body, path, what, count)
    if len(rows) == 1 and count > 1 and isinstance(rows[0], list) and len(rows[0]) == count:
        rows = [[cell] for cell in rows[0]]
    if len(rows) != count:
        raise ClarifyError(f"{what} has {len(rows)} rows for the {count} of the request.")
    return rows


def prediction_of(pick: Pick, key: Key | None, probability: Key | None) -> Prediction:
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


def answers(events: list[Event], rows: list[int]) -> Pick:
    """What stands at a position or a path of the captured answers, for each row; without one, all."""

    def pick(key: Key | None) -> list[Any]:
        place = None if key is None or not str(key).isdigit() else int(key)
        path = str(key) if key is not None and place is None else None
        found = [
            row
            for event, count in zip(events, rows, strict=True)
            for row in each_row(event.output, count, path, f"{event.place}: endpointOutput")
        ]
        return found if place is None else [_cell(row, place) for row in found]

    return pick


def _cell(row: Row, place: int) -> Any:
    if not isinstance(row, list) or place >= len(row):
        raise ClarifyError(f"A captured response is {row!r:.80}: there is no column {place} in it.")
    return row[place]


def _numbers(values: list[Any]) -> Any:
    try:
        return np.array(values, dtype=float).reshape(len(values), -1)
    except (TypeError, ValueError) as error:
        raise ClarifyError(f"The captured scores are not numbers: {values[0]!r:.80}.") from error
