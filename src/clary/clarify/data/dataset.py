"""Data set files into one table: CSV, JSON Lines, JSON and Parquet, as Clarify reads them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jmespath
import pandas as pd
import pyarrow as pa

from clary.clarify.config.analysis import AnalysisConfig, Key
from clary.clarify.data.csv_text import first_line, no_names_among, own_names, parsed
from clary.clarify.errors import ClarifyError


def read(path: Path, config: AnalysisConfig) -> pd.DataFrame:
    """The data set in a file, or in all files below a folder one after the other, as `config` says."""
    kind = config.dataset_type
    _one_order(path, config)
    if kind == "text/csv":
        return read_csv(path, config.headers, names_columns(config))
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {
        "application/x-parquet": _parquet,
        "application/jsonlines": lambda file: _from_records(_json_lines(file), config),
        "application/json": lambda file: _from_document(_json(file), config),
    }
    frame = pd.concat([readers[kind](file) for file in files_below(path)], ignore_index=True)
    if kind == "application/x-parquet" and config.headers:
        frame = withheaders_or(frame, config.headers)
    return _not_empty(frame, path)


def _parquet(file: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise ClarifyError(f"{file.name} is not Parquet ({error}): check dataset_type.") from error


def _one_order(path: Path, config: AnalysisConfig) -> None:
    """Rows of several files are joined to those of another data set by a column, never by their place."""
    other = config.facet_dataset_uri or config.predicted_label_dataset_uri
    if other is not None and config.joinsource_name_or_index is None and len(files_below(path)) > 1:
        raise ClarifyError(
            f"The data set at {path.name} is in several files: set joinsource_name_or_index to a column that "
            "it has in common with the other data set."
        )


def names_columns(config: AnalysisConfig) -> bool:
    """Whether the configuration calls a column by its name."""
    names = [config.label, config.group_variable, config.joinsource_name_or_index]
    names += [s.name_or_index for s in config.segment_config]
    if config.predicted_label_dataset_uri is None:
        names.append(config.predicted_label)
    if config.facet_dataset_uri is None:
        names += [f.name_or_index for f in config.facet]
    return any(isinstance(name, str) for name in names)


def headers_or(columns: list[str], headers: list[str] | None) -> tuple[str, ...]:
    """The configured names, or the columns' own."""
    if headers is not None and len(headers) != len(columns):
        raise ClarifyError(
            f"headers has {len(headers)} names, but the data set has {len(columns)} columns: name each one."
        )
    return tuple(columns if headers is None else headers)


def files_below(path: Path) -> list[Path]:
    """The files of a data set in order, without hidden ones."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    files = [f for f in files if not f.name.startswith((".", "_"))]
    if not files:
        raise ClarifyError(f"There is no data set at {path}: give a file, or a folder with files in it.")
    return files


def read_csv(path: Path, headers: list[str] | None, named: bool) -> pd.DataFrame:
    """The CSV files at `path`. Each may begin with a line of names, or not.

    The first line is names when it equals `headers`; and, without `headers`, when the configuration names
    columns (`named`) or when a column is text in the first line alone. Otherwise columns are called
    column_0, column_1 and so on. Only empty cells are missing values.
    """
    frames: list[pd.DataFrame] = []
    for file in files_below(path):
        has_names = first_line_is_names(file, headers, named)
        frame = _named_csv(file) if has_names else parsed(file, header=None)
        own = list(map(str, frame.columns)) if has_names else [f"column_{i}" for i in frame.columns]
        frame = frame.set_axis(list(headers_or(own, headers)), axis=1)
        if frames:
            _same_columns(frame, frames[0], file)
        frames.append(frame)
    return _not_empty(pd.concat(frames, ignore_index=True), path)


def _named_csv(file: Path) -> pd.DataFrame:
    names = own_names(file)
    frame = parsed(file, header=0)
    no_names_among(frame, names, file)
    return frame


def _same_columns(frame: pd.DataFrame, first: pd.DataFrame, file: Path) -> None:
    if set(frame.columns) != set(first.columns):
        other = sorted(map(str, set(frame.columns) ^ set(first.columns)))
        raise ClarifyError(
            f"The files of the data set have different columns: {', '.join(map(repr, other[:5]))} is in only "
            f"one of the first file and {file.name}."
        )


def first_line_is_names(file: Path, headers: list[str] | None, named: bool) -> bool:
    """Whether a CSV file begins with a line of names; see `read_csv`."""
    first = first_line(file)
    has_names = first == headers if headers else named or _looks_like_names(file, first)
    if headers and not has_names and len(first) == len(headers) and _looks_like_names(file, first):
        raise ClarifyError(
            f"The first line of {file.name} looks like names, but not those of headers: "
            f"{', '.join(first)}. Remove the line, or remove headers."
        )
    return has_names


def _looks_like_names(file: Path, first: list[str]) -> bool:
    if not first or len(set(first)) < len(first) or any(_is_number(cell) for cell in first):
        return False
    sample = parsed(file, header=None, skiprows=1, nrows=100) if _lines(file) > 1 else pd.DataFrame()
    return any(pd.api.types.is_numeric_dtype(t) for t in sample.dtypes)


def _lines(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for _, line in zip(range(3), lines, strict=False) if line.strip())


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def withheaders_or(frame: pd.DataFrame, headers: list[str]) -> pd.DataFrame:
    """The table under the configured names."""
    return frame.set_axis(headers_or(list(frame.columns), headers), axis=1)


def _not_empty(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    if frame.empty:
        raise ClarifyError(f"The data set at {path.name} has no rows.")
    doubled = frame.columns[frame.columns.duplicated()].tolist()
    if doubled:
        raise ClarifyError(f"The data set has the column {doubled[0]!r} twice: rename one of them.")
    return frame


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ClarifyError(f"{file.name} is not JSON: {error}.") from error


def _json_lines(file: Path) -> list[Any]:
    records = []
    try:
        lines = file.read_text("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ClarifyError(f"{file.name} is not JSON text ({error}): check dataset_type.") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                records.append(json.loads(line))
            except ValueError as error:
                raise ClarifyError(f"{file.name}, line {number} is not JSON: {error}.") from error
    return records


def _from_records(records: list[Any], config: AnalysisConfig) -> pd.DataFrame:
    """JSON Lines: `features` and labels are JMESPaths into a line; without `features`, keys are columns."""
    if config.features is None:
        if not all(isinstance(r, dict) for r in records):
            raise ClarifyError("Each line must be a JSON object, or set features to the path of its values.")
        return pd.DataFrame(records)
    rows = [find(config.features, record) for record in records]
    extra = {str(e): [find(str(e), record) for record in records] for e in _label_paths(config)}
    return _matrix(rows, extra, config)


def _from_document(document: Any, config: AnalysisConfig) -> pd.DataFrame:
    """JSON: `features` is the path of a matrix, the labels' paths give one value for each row."""
    rows = find(str(config.features), document)
    if not isinstance(rows, list):
        raise ClarifyError(f"features ({config.features}) finds no matrix in the data set.")
    return _matrix(rows, {str(e): find(str(e), document) for e in _label_paths(config)}, config)


def _label_paths(config: AnalysisConfig) -> list[Key]:
    return [path for path in (config.label, config.predicted_label) if path is not None]


def _matrix(rows: list[Any], extra: dict[str, list[Any]], config: AnalysisConfig) -> pd.DataFrame:
    """Feature rows and label columns as a table; `headers` names the features, then (if longer) "
    "the labels."""
    widths = {len(row) if isinstance(row, list) else -1 for row in rows}
    if len(widths) != 1 or -1 in widths:
        raise ClarifyError(f"features ({config.features}) must find rows of equally many values.")
    width, names = widths.pop(), config.headers or []
    if config.headers and len(names) not in (width, width + len(extra)):
        raise ClarifyError(f"headers has {len(names)} names, but there are {width} features.")
    frame = pd.DataFrame(rows, columns=names[:width] or [f"column_{i}" for i in range(width)])
    for path, values in extra.items():
        if not isinstance(values, list) or len(values) != len(rows):
            raise ClarifyError(f"{path} must find one value for each of the {len(rows)} rows.")
        frame[path] = values
    return frame.infer_objects()


def find(path: str, document: Any) -> Any:
    """What a JMESPath finds; an error if the path is not one or finds nothing."""
    try:
        found = jmespath.search(path, document)
    except jmespath.exceptions.JMESPathError as error:
        raise ClarifyError(f"{path!r} is not a JMESPath: {error}.") from error
    if found is None:
        raise ClarifyError(
            f"The JMESPath {path!r} finds nothing in {json.dumps(document, default=str)[:120]}."
        )
    return found
