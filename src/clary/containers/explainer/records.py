"""Records of a request as lists of features, and lists of features as the lines that the model reads."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jmespath

from clary.containers.inference.invocation import ClientError, unsupported

CSV, LINES, JSON = "text/csv", "application/jsonlines", "application/json"
READ = (CSV, LINES)
FEATURES = "$features"
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")

# A text may be longer than the module's 128 kB; the size of a request is limited elsewhere.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class Form:
    """Where a line of JSON has its features, and how one is written."""

    features: str | None = None
    template: str | None = None


@dataclass(frozen=True)
class Writer:
    """A line is `before`, the cells with `between` them, `after`."""

    cell: Callable[[Any], str]
    before: str = ""
    between: str = ","
    after: str = ""

    def line(self, cells: Sequence[str]) -> str:
        return f"{self.before}{self.between.join(cells)}{self.after}"


def read(text: str, content_type: str, form: Form) -> list[list[Any]]:
    """One list of features a record: text as it stands in CSV, values of JSON. ClientError for other text."""
    if content_type == CSV:
        rows: list[list[Any]] = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    elif content_type == LINES:
        rows = [_features(_json(line), form) for line in text.split("\n") if line.strip()]
    elif content_type == JSON:
        rows = _document(_json(text), form)
    else:
        raise unsupported(content_type, READ)
    if not rows:
        raise ClientError(
            400, f"There is no record in the {content_type}; send one or more lines of features"
        )
    return rows


def writer(content_type: str, form: Form) -> Writer:
    if content_type == CSV:
        return Writer(_csv_cell)
    before, mark, after = (form.template or "").partition(FEATURES)
    if not mark:
        raise ClientError(
            400,
            "The endpoint's InferenceConfig has no ContentTemplate, so the explainer cannot write JSON Lines "
            'for the model; give one, such as {"features":$features}, or send text/csv',
        )
    return Writer(_json_cell, f"{before}[", ", ", f"]{after}")


def alike(features: Sequence[Any], content_type: str) -> list[Any]:
    """The baseline's features as values of a request in `content_type`: text for CSV, else numbers too."""
    if content_type == CSV:
        return [value if isinstance(value, str) else _csv_value(value) for value in features]
    return [_typed(value) if isinstance(value, str) else value for value in features]


def _document(document: Any, form: Form) -> list[list[Any]]:
    if isinstance(document, list) and document and not isinstance(document[0], list | dict):
        document = [document]
    if not isinstance(document, list):
        raise ClientError(400, "The JSON must be a list of records")
    return [_features(record, form) for record in document]


def _features(record: Any, form: Form) -> list[Any]:
    try:
        found = record if isinstance(record, list) else jmespath.search(form.features or "@", record)
    except jmespath.exceptions.JMESPathError as error:
        raise ClientError(400, f"FeaturesAttribute {form.features!r}: {error}") from error
    if not isinstance(found, list):
        where = (
            f"FeaturesAttribute {form.features!r} finds no list in"
            if form.features
            else "There is no list in"
        )
        raise ClientError(
            400,
            f"{where} the record {json.dumps(record)[:200]}; InferenceConfig.FeaturesAttribute says where",
        )
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ClientError(400, f"The record {text[:200]!r} is not JSON: {error}") from error


def _csv_cell(value: Any) -> str:
    text = str(value)
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _json_cell(value: Any) -> str:
    return json.dumps(value)


def _csv_value(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, bool | list | dict) else str(value)


def _typed(text: str) -> Any:
    """The number that a CSV cell is in JSON too, or its text."""
    return json.loads(text) if _NUMBER.fullmatch(text.strip()) else text or None
