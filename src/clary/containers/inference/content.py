"""Arrays from and to request bodies: CSV, JSON and NumPy's format, as SageMaker's containers read them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from clary.containers.inference.invocation import ClientError, Invocation, unsupported

CSV = "text/csv"
JSON = "application/json"
NPY = "application/x-npy"
LARGE = 64 * 1024
"""Characters of a CSV body from which on Arrow is worth its import."""
READ = (CSV, JSON, NPY)
WRITTEN = (JSON, CSV, NPY)


def decode(call: Invocation) -> npt.NDArray[Any]:
    """The body as an array; ClientError 415 for another content type, 400 for what cannot be read."""
    if call.content_type == CSV:
        return csv_numbers(call.text)
    if call.content_type == JSON:
        return json_array(call.text)
    if call.content_type == NPY:
        return _npy(call.body)
    raise unsupported(call.content_type, READ)


def csv_rows(text: str) -> list[list[str]]:
    """Lines of equal length, blank ones left out; ClientError names the first that differs."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ClientError(400, "The CSV body is empty; send one line of values for each record, no header")
    if '"' in text:
        rows = [row for row in csv.reader(io.StringIO(text), skipinitialspace=True) if row]
    else:
        delimiter = _delimiter(lines[0])
        rows = [line.split(delimiter) for line in lines]
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise ClientError(
                400,
                f"CSV record {number} has {len(row)} values, the first one has {len(rows[0])}; "
                "all must have the same number",
            )
    return rows


def csv_numbers(text: str) -> npt.NDArray[np.float64]:
    """Shape (records, columns); an empty value is NaN."""
    if len(text) > LARGE:
        found = _by_arrow(text)
        if found is not None:
            return found
    rows = csv_rows(text)
    try:
        return np.array(rows, dtype=np.float64)
    except ValueError:
        return np.array([_numbers(row, number) for number, row in enumerate(rows, 1)])


def _by_arrow(text: str) -> npt.NDArray[np.float64] | None:
    """A large table of nothing but numbers, read ten times as fast; None where it is anything else."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    try:
        table = arrow.read_csv(
            pa.BufferReader(text.encode()),
            arrow.ReadOptions(autogenerate_column_names=True, use_threads=False),
            convert_options=arrow.ConvertOptions(null_values=[""], strings_can_be_null=True),
        )
    except pa.ArrowInvalid:
        return None
    kinds = table.schema.types
    if not all(pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_null(t) for t in kinds):
        return None
    return np.column_stack([column.cast(pa.float64()).to_numpy() for column in table.columns])


def lines_of(numbers: npt.NDArray[Any]) -> bytes:
    """Many numbers as text, one to a line."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    text = pa.BufferOutputStream()
    table = pa.table({"": numbers.astype(np.float64)})
    arrow.write_csv(table, text, arrow.WriteOptions(include_header=False))
    return bytes(text.getvalue())


def json_array(text: str) -> npt.NDArray[Any]:
    """An array of a JSON list, or of the list under `instances`."""
    value = json_value(text)
    if isinstance(value, dict) and "instances" in value:
        value = value["instances"]
    if isinstance(value, list):
        value = [row["features"] if isinstance(row, dict) and "features" in row else row for row in value]
    try:
        array = np.array(value)
    except ValueError as error:
        raise ClientError(400, f"The JSON list is not rectangular: {error}") from error
    if array.dtype == object or array.ndim == 0:
        raise ClientError(
            400, 'The JSON body must be a list of equally long lists, or {"instances": [[...]]}'
        )
    return array


def json_value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ClientError(400, f"The body is not JSON: {error}") from error


def encode(value: Any, accept: str) -> bytes:
    """A prediction as JSON, CSV (a line for each record) or NumPy's format."""
    if accept == JSON:
        return json.dumps(value, default=_plain).encode()
    array = np.asarray(value.toarray() if hasattr(value, "toarray") else value)
    if accept == NPY:
        stream = io.BytesIO()
        np.save(stream, array, allow_pickle=False)
        return stream.getvalue()
    table = array.reshape(1, 1) if array.ndim == 0 else array.reshape(len(array), -1)
    return "".join(",".join(map(str, row)) + "\n" for row in table).encode()


def _plain(value: Any) -> Any:
    """What JSON has no form for: arrays, NumPy's numbers, frames and series."""
    if hasattr(value, "toarray"):
        value = value.toarray()
    elif hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"A {type(value).__name__} cannot be written as JSON; write an output_fn for it")


def _delimiter(line: str) -> str:
    return next((mark for mark in ",;\t" if mark in line), ",")


def _numbers(row: list[str], number: int) -> list[float]:
    found = []
    for column, value in enumerate(row, 1):
        try:
            found.append(float(value) if value.strip() else np.nan)
        except ValueError as error:
            raise ClientError(
                400,
                f"CSV record {number}, column {column}: {value.strip()!r} is not a number "
                "(send numbers only, without a header line)",
            ) from error
    return found


def _npy(body: bytes) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.load(io.BytesIO(body), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ClientError(400, f"The body is not a NumPy array as numpy.save writes it: {error}") from error
    return array
