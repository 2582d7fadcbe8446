"""JSON files of the three layouts that Clarify reads, into the series of items."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jmespath
import numpy as np

from clary.clarify.data.dataset import files_below
from clary.clarify.errors import ClarifyError
from clary.clarify.time_series.panel import Floats, Panel, Series, check_times
from clary.clarify.time_series.settings import DATA, TimeSeriesData

_PROJECTION = re.compile(r"\[\*?\]")
_NAME = re.compile(r"\"((?:[^\"\\]|\\.)+)\"|([A-Za-z_]\w*)")

Row = tuple[Any, Any, list[Any], list[Any]]
"""Timestamp, target, related series and static covariates of one step."""


def read_panel(path: Path, layout: TimeSeriesData, headers: Sequence[str] | None) -> Panel:
    """The items of a JSON file, or of all files below a folder; an item may go on from file to file."""
    documents = [_json(file) for file in files_below(path)]
    return panel(documents, layout, headers)


def panel(documents: Iterable[Any], layout: TimeSeriesData, headers: Sequence[str] | None = None) -> Panel:
    """The same from parsed documents. ClarifyError says which item and which step is wrong."""
    names = _names(layout, headers)
    rows: dict[str, tuple[Any, list[Row]]] = {}
    for document in documents:
        for item, row in _ROWS[layout.dataset_format](document, layout):
            if item is None or item == "":
                raise ClarifyError(f"{DATA}.item_id ({layout.item_id}) finds a step without an item id.")
            rows.setdefault(str(item), (item, []))[1].append(row)
    if not rows:
        raise ClarifyError(f"{DATA}: the data set has no steps.")
    last = 3 + len(layout.related_time_series)
    items = [_series(item, found, names) for item, found in rows.values()]
    return Panel(items, names[2], names[3:last], names[last:])


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ClarifyError(f"{file.name} is not JSON: {error}.") from error


def _names(layout: TimeSeriesData, headers: Sequence[str] | None) -> list[str]:
    """Item id, timestamp, target, related series, static covariates; by default what the paths end in."""
    paths = layout.paths
    if headers is None:
        found = [_NAME.findall(path)[-1:] for path in paths]
        names = ["".join(name[0]) if name else path for name, path in zip(found, paths, strict=True)]
        return names if len(set(names)) == len(names) else paths
    if len(headers) != len(paths):
        raise ClarifyError(
            f"headers has {len(headers)} names, but {DATA} has {len(paths)} parts: name item id, timestamp, "
            "target, each related series and each static covariate, in this order."
        )
    return list(headers)


def _of_columns(document: Any, layout: TimeSeriesData) -> Iterator[tuple[Any, Row]]:
    columns = [_listed(path, document) for path in layout.paths]
    lengths = {path: len(column) for path, column in zip(layout.paths, columns, strict=True)}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{path}: {length}" for path, length in lengths.items())
        raise ClarifyError(f"The columns have different lengths ({told}): give one value for each step.")
    last = 3 + len(layout.related_time_series)
    for values in zip(*columns, strict=True):
        yield values[0], (values[1], values[2], list(values[3:last]), list(values[last:]))


def _of_timestamp_records(document: Any, layout: TimeSeriesData) -> Iterator[tuple[Any, Row]]:
    head, rests = _records(layout)
    for record in _elements(head, document):
        values = [_search(rest, record) for rest in rests]
        last = 3 + len(layout.related_time_series)
        yield values[0], (values[1], values[2], values[3:last], values[last:])


def _of_item_records(document: Any, layout: TimeSeriesData) -> Iterator[tuple[Any, Row]]:
    head, rests = _records(layout)
    last = 3 + len(layout.related_time_series)
    for record in _elements(head, document):
        item = _search(rests[0], record)
        static = [_search(rest, record) for rest in rests[last:]]
        lists = [_listed(rest, record) for rest in rests[1:last]]
        lengths = [len(values) for values in lists]
        if len(set(lengths)) > 1:
            told = ", ".join(f"{rest}: {n}" for rest, n in zip(rests[1:last], lengths, strict=True))
            raise ClarifyError(
                f"The series of item {item!r} have different lengths ({told}): give one value for each "
                "timestamp (null for the target where only related series are known)."
            )
        for timestamp, target, *related in zip(*lists, strict=True):
            yield item, (timestamp, target, related, static)


_ROWS = {
    "columns": _of_columns,
    "item_records": _of_item_records,
    "timestamp_records": _of_timestamp_records,
}


def _records(layout: TimeSeriesData) -> tuple[str, list[str]]:
    """The path of the records, and each configured path within one of them."""
    heads, rests = set(), []
    for path in layout.paths:
        found = _PROJECTION.search(path)
        if found is None:
            raise ClarifyError(
                f"{DATA}: the path {path!r} names no records: for {layout.dataset_format} it begins like "
                "'[*].id'."
            )
        heads.add(path[: found.start()])
        rests.append(path[found.end() :].lstrip("."))
    if len(heads) > 1:
        raise ClarifyError(f"{DATA}: the paths begin at different records: {', '.join(sorted(heads))}.")
    return heads.pop(), rests


def _listed(path: str, document: Any) -> list[Any]:
    """The values of a path, one for each element that it goes through; None where one has no value."""
    found = _PROJECTION.search(path)
    if found is None:
        return _elements(path, document)
    rest = path[found.end() :].lstrip(".")
    return [_search(rest, element) for element in _elements(path[: found.start()], document)]


def _elements(path: str, document: Any) -> list[Any]:
    found = _search(path, document)
    if not isinstance(found, list):
        raise ClarifyError(
            f"{DATA}: the JMESPath {path or '@'!r} finds no list in {json.dumps(document, default=str)[:80]}."
        )
    return found


def _search(path: str, document: Any) -> Any:
    try:
        return jmespath.search(path or "@", document)
    except jmespath.exceptions.JMESPathError as error:
        raise ClarifyError(f"{DATA}: {path!r} is not a JMESPath: {error}.") from error


def _series(item: Any, rows: list[Row], names: Sequence[str]) -> Series:
    timestamps = [row[0] for row in rows]
    check_times(item, timestamps)
    target = [row[1] for row in rows]
    while target and target[-1] is None:
        target.pop()
    related = [list(column) for column in zip(*(row[2] for row in rows), strict=True)]
    if not target:
        raise ClarifyError(f"Item {item!r} has no value of {names[2]}: its past is needed for a forecast.")
    if len(target) < len(rows) and not related:
        raise ClarifyError(
            f"Item {item!r} has no {names[2]} at {timestamps[len(target)]!r}: without related series, "
            "remove the steps of the future."
        )
    return Series(
        item,
        timestamps,
        _numbers(target, names[2], item, timestamps),
        np.array(
            [_numbers(column, names[3 + i], item, timestamps) for i, column in enumerate(related)]
        ).reshape(len(related), len(rows)),
        _static(item, rows, names[3 + len(related) :]),
    )


def _numbers(values: list[Any], name: str, item: Any, timestamps: list[Any]) -> Floats:
    for value, timestamp in zip(values, timestamps, strict=False):
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise ClarifyError(
                f"Item {item!r}: {name} is {value!r} at {timestamp!r}. Every step needs a number: fill it or "
                "start later."
            )
    return np.array(values, dtype=float)


def _static(item: Any, rows: list[Row], names: Sequence[str]) -> list[Any]:
    first = rows[0][3]
    for name, value, *others in zip(names, first, *(row[3] for row in rows[1:]), strict=True):
        if value is None:
            raise ClarifyError(f"Item {item!r} has no value of the static covariate {name}.")
        if any(other != value for other in others):
            raise ClarifyError(
                f"Item {item!r}: the static covariate {name} changes with time: it belongs to "
                "related_time_series."
            )
    return first
