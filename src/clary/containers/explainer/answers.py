"""What a model answered, record by record: what a filter sees, the scores to explain, the labels' names."""

from __future__ import annotations

import ast
import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jmespath
import numpy as np

from clary.clarify.shap.coalitions import Floats
from clary.containers.explainer.records import CSV, LINES
from clary.containers.explainer.settings import Inference
from clary.containers.inference.invocation import Answer, ModelFault, media_type


@dataclass(frozen=True)
class Answered:
    kind: str
    records: Sequence[Any]
    """A list for a line of CSV, anything for a line of JSON."""


def read(answer: Answer, rows: int, asked: Inference) -> Answered:
    """ModelFault where the answer is another type, or has not `rows` records."""
    kind = media_type(answer.content_type)
    text = answer.body.decode("utf-8", "replace")
    if kind not in (CSV, LINES):
        raise ModelFault(
            f"The model answers {kind or 'no content type'}, but the explainer reads {CSV} and {LINES}: "
            "ask for one of them by Accept"
        )
    try:
        found = _csv(text, rows, asked) if kind == CSV else _lines(text)
    except (ValueError, SyntaxError, RecursionError, csv.Error) as error:
        raise ModelFault(f"The model's answer is not {kind} ({error}): {text[:80]!r}") from error
    if len(found) != rows:
        raise ModelFault(f"The model answered {len(found)} predictions for {rows} records")
    return Answered(kind, found)


def scores(answered: Answered, asked: Inference) -> Floats:
    """Shape (records, outputs). ModelFault where there are no numbers where they should be."""
    found = _each(answered, asked.probability_index, asked.probability_attribute, "Probability")
    try:
        values = np.array(found, dtype=float).reshape(len(found), -1)
    except (TypeError, ValueError) as error:
        raise ModelFault(
            f"The model's scores are not numbers: {str(found[0])[:80]}; ProbabilityIndex (CSV) or "
            "ProbabilityAttribute (JSON Lines) says where they are"
        ) from error
    if not np.isfinite(values).all():
        raise ModelFault("The model answered NaN or infinite scores; an explanation needs finite numbers")
    return values


def label_headers(answered: Answered, outputs: int | None, asked: Inference) -> list[str] | None:
    """The names of the model's outputs: configured, or where the model says the same ones of every record."""
    names: list[Any] | None = list(asked.label_headers) or None
    where = asked.label_index if answered.kind == CSV else asked.label_attribute
    if names is None and where is not None:
        found = _each(answered, asked.label_index, asked.label_attribute, "Label")
        lists = [each if isinstance(each, list) else [each] for each in found]
        names = lists[0] if all(each == lists[0] for each in lists) else None
    if None not in (names, outputs) and len(names or ()) != outputs:
        raise ModelFault(f"There are {len(names or ())} label headers, but the model has {outputs} outputs")
    return None if names is None else [str(name) for name in names]


def _each(answered: Answered, index: int | None, attribute: str | None, what: str) -> list[Any]:
    """By index in CSV, by attribute in JSON; without one the whole record, or the only value in it."""
    if answered.kind == CSV and index is not None:
        if any(index >= len(record) for record in answered.records):
            raise ModelFault(
                f"{what}Index is {index}, but the model answers {len(answered.records[0])} columns"
            )
        return [record[index] for record in answered.records]
    if answered.kind == LINES and attribute is not None:
        return [_found(attribute, record, what) for record in answered.records]
    return [r[0] if isinstance(r, list) and len(r) == 1 else r for r in answered.records]


def _found(attribute: str, record: Any, what: str) -> Any:
    try:
        found = jmespath.search(attribute, record)
    except jmespath.exceptions.JMESPathError as error:
        raise ModelFault(f"{what}Attribute {attribute!r}: {error}") from error
    if found is None:
        raise ModelFault(f"{what}Attribute {attribute!r} finds nothing in {json.dumps(record)[:200]}")
    return found


def _csv(text: str, rows: int, asked: Inference) -> list[Any]:
    if text.lstrip().startswith("["):
        # XGBoost's scores of several classes: one list a record, all on one line.
        nested: list[Any] = json.loads(f"[{','.join(text.split(chr(10))).rstrip(', ')}]")
        return nested
    lines = [[_cell(cell) for cell in line] for line in csv.reader(io.StringIO(text)) if line]
    one_column = not asked.probability_index and not asked.label_index
    if len(lines) == 1 and rows > 1 and len(lines[0]) == rows and one_column:
        return [[cell] for cell in lines[0]]
    return lines


def _cell(cell: str) -> Any:
    try:
        return float(cell)
    except ValueError:
        text = cell.strip()
        return ast.literal_eval(text) if text.startswith("[") else text


def _lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.split("\n") if line.strip()]
