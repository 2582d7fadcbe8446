"""Rows of features into a request's body, and a response's body into predictions, as Clarify does both."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from clary.clarify.config.analysis import AnalysisConfig, Key, Predictor
from clary.clarify.config.schema import IMAGES
from clary.clarify.data.dataset import find
from clary.clarify.data.predictions import Prediction
from clary.clarify.errors import ClarifyError

CSV, LINES, JSON = "text/csv", "application/jsonlines", "application/json"


MANY = 5000
"""Rows of an answer from which on Arrow reads it sooner than NumPy."""


@dataclass(frozen=True)
class Codec:
    """How one model is spoken to."""

    predictor: Predictor
    content_type: str
    accept: str

    @classmethod
    def of(cls, config: AnalysisConfig) -> Codec:
        """By default the model reads the data set's format and answers in the format that it reads."""
        predictor = config.predictor
        if config.dataset_type == IMAGES:
            content_type = (predictor.content_type or "image/jpeg").lower()
            return cls(predictor, content_type, (predictor.accept_type or JSON).lower())
        kind = CSV if config.dataset_type == "application/x-parquet" else config.dataset_type
        content_type = (predictor.content_type or kind).lower()
        _check_templates(predictor, content_type)
        return cls(predictor, content_type, (predictor.accept_type or content_type).lower())

    @property
    def one_row_each(self) -> bool:
        """Whether the template takes a single record a request."""
        template = self.predictor.content_template or ""
        return self.content_type == JSON and "$records" not in template

    def encode(self, features: pd.DataFrame) -> bytes:
        """The body that asks for the predictions of these rows."""
        if self.content_type == CSV:
            return _csv(features)
        names, rows = list(map(str, features.columns)), _plain_rows(features)
        template = str(self.predictor.content_template)
        if self.content_type == LINES:
            return "".join(_fill(template, names, row) + "\n" for row in rows).encode()
        records = [_fill(str(self.predictor.record_template), names, row) for row in rows]
        values = {
            "$records": f"[{', '.join(records)}]",
            "$record": records[0],
            "$feature_names": json.dumps(names),
        }
        return _substitute(template, values).encode()

    def decode(self, body: bytes, rows: int) -> Prediction:
        """The predictions in a response; ClarifyError if it has not one for each row."""
        try:
            text = body.decode()
            if (
                self.accept == CSV
                and self.predictor.label is None
                and self.predictor.probability in (None, 0)
            ):
                found = _one_number_each(text, rows)
                if found is not None:
                    return Prediction(scores=found)
            pick = _READERS[self.accept](text, rows)
        except ValueError as error:
            shown = body[:80].decode(errors="replace")
            raise ClarifyError(f"The model's answer is not {self.accept}: {shown!r}.") from error
        label, probability = self.predictor.label, self.predictor.probability
        if label is None and probability is None:
            return _counted(_prediction(pick(None)), rows)
        scores = None if probability is None else _scores(pick(probability))
        if label is None:
            return _counted(Prediction(scores=scores), rows)
        labels = pick(label)
        if scores is None:
            return _counted(_prediction(labels), rows)
        return _counted(Prediction(_best(labels, scores), scores), rows)


def _csv(features: pd.DataFrame) -> bytes:
    """Lines without a header, as pandas writes them; ten times as fast where every column has one type."""
    flags = [name for name in features.columns if pd.api.types.is_bool_dtype(features[name].dtype)]
    try:
        table = pl.from_pandas(features.astype(dict.fromkeys(flags, "str")), nan_to_null=True)
    except (pl.exceptions.PolarsError, TypeError, ValueError):
        return str(features.to_csv(index=False, header=False, lineterminator="\n")).encode()
    return table.write_csv(include_header=False).encode()


def _check_templates(predictor: Predictor, content_type: str) -> None:
    if content_type == LINES and "$features" not in (predictor.content_template or ""):
        raise ClarifyError(
            'predictor.content_template must say how a row is written, for example {"features": $features}.'
        )
    if content_type != JSON:
        return
    if "$record" not in (predictor.content_template or ""):
        raise ClarifyError(
            'predictor.content_template must hold $records, for example {"instances": $records}.'
        )
    if not predictor.record_template:
        raise ClarifyError(
            "predictor.record_template is missing: use $features, or $features_kvp for named values."
        )


def _plain_rows(features: pd.DataFrame) -> list[list[Any]]:
    plain = features.astype(object).where(features.notna(), None)
    return [[v.item() if isinstance(v, np.generic) else v for v in row] for row in plain.to_numpy().tolist()]


def _fill(template: str, names: list[str], row: list[Any]) -> str:
    values = {
        "$features_kvp": json.dumps(dict(zip(names, row, strict=True))),
        "$feature_names": json.dumps(names),
        "$features": json.dumps(row),
        **{f'"${{{name}}}"': json.dumps(value) for name, value in zip(names, row, strict=True)},
    }
    return _substitute(template, values)


def _substitute(template: str, values: Mapping[str, str]) -> str:
    """Every placeholder at once, so that a text with a placeholder in it stays as it is."""
    pattern = "|".join(map(re.escape, values))
    return re.sub(pattern, lambda found: values[found[0]], template)


Pick = Callable[[Key | None], list[Any]]


def _read_csv(text: str, rows: int) -> Pick:
    lines = [[_cell(cell) for cell in line] for line in csv.reader(io.StringIO(text)) if line]
    if len(lines) == 1 and rows > 1 and len(lines[0]) == rows:
        lines = [[cell] for cell in lines[0]]

    def pick(key: Key | None) -> list[Any]:
        if key is None:
            return [line[0] if len(line) == 1 else line for line in lines]
        if not isinstance(key, int) or any(not 0 <= key < len(line) for line in lines):
            raise ClarifyError(
                f"predictor.label or probability is {key!r}, but the model answers CSV with {len(lines[0])} "
                "columns: give a position from 0."
            )
        return [line[key] for line in lines]

    return pick


def _one_number_each(text: str, rows: int) -> Any:
    """The answer of most models, in one go: as many numbers as rows, on one line or one to a line."""
    if rows > MANY:
        return _many_numbers(text.replace(",", "\n"), rows)
    cells = text.split(",") if "," in text else text.split()
    try:
        return np.array(cells, dtype=float).reshape(-1, 1) if len(cells) == rows else None
    except ValueError:
        return None


def _many_numbers(lines: str, rows: int) -> Any:
    """The same of many lines, read ten times as fast."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    names = arrow.ReadOptions(autogenerate_column_names=True, use_threads=False)
    try:
        found = arrow.read_csv(pa.BufferReader(lines.encode()), names).column(0)
        numbers = found.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        return None
    return numbers.reshape(-1, 1) if len(numbers) == rows else None


def _cell(cell: str) -> Any:
    text = cell.strip()
    if text.startswith("["):
        return json.loads(text)
    try:
        return float(text)
    except ValueError:
        return text


def _read_lines(text: str, rows: int) -> Pick:
    records = [json.loads(line) for line in text.splitlines() if line.strip()]
    return lambda key: [_unkeyed(r) if key is None else find(str(key), r) for r in records]


def _read_json(text: str, rows: int) -> Pick:
    document = json.loads(text)

    def pick(key: Key | None) -> list[Any]:
        found = _unkeyed(document) if key is None else find(str(key), document)
        return found if isinstance(found, list) and (rows > 1 or len(found) == 1) else [found]

    return pick


def _unkeyed(answer: Any) -> Any:
    if isinstance(answer, dict):
        raise ClarifyError(
            f"The model answers objects with {', '.join(map(repr, answer))}: set predictor.probability or "
            "predictor.label to the path of the value."
        )
    return answer


_READERS = {CSV: _read_csv, LINES: _read_lines, JSON: _read_json}


def _prediction(values: list[Any]) -> Prediction:
    """Numbers are scores; anything else is labels."""
    try:
        return Prediction(scores=_scores(values))
    except ClarifyError:
        return Prediction(labels=np.array([v[0] if isinstance(v, list) else v for v in values], dtype=object))


def _scores(values: list[Any]) -> Any:
    try:
        return np.array(values, dtype=float).reshape(len(values), -1)
    except (TypeError, ValueError) as error:
        raise ClarifyError(f"The model's scores are not numbers: {values[:3]!r}.") from error


def _best(labels: list[Any], scores: Any) -> Any:
    """The label of each row; where a row lists all labels, the one with the highest score."""
    best = [
        label[int(np.argmax(score))] if isinstance(label, list) else label
        for label, score in zip(labels, scores, strict=True)
    ]
    return np.array(best, dtype=object)


def _counted(prediction: Prediction, rows: int) -> Prediction:
    for part in (prediction.labels, prediction.scores):
        if part is not None and len(part) != rows:
            raise ClarifyError(f"The model answered {len(part)} predictions for {rows} rows.")
    return prediction
