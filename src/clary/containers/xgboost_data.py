"""Channels of the built-in XGBoost as matrices: text/csv (label first, no header), libsvm, Parquet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clary.containers.xgboost_parameters import UserError

CHANNELS = ("train", "validation")
DEFAULT_TYPE = "text/libsvm"
_LONGEST_LINE = 16 << 20


def matrices(data: Path, channels: Mapping[str, Mapping[str, str]], weights: bool) -> dict[str, Any]:
    """One DMatrix a channel, in the order train, validation."""
    unknown = sorted(set(channels) - set(CHANNELS))
    if "train" not in channels or unknown:
        named = f"; {', '.join(unknown)} is none of them" if unknown else ""
        raise UserError(f"The built-in XGBoost reads the channels train (required) and validation{named}")
    return {
        name: _matrix(data / name, name, channels[name], weights) for name in CHANNELS if name in channels
    }


def _matrix(folder: Path, channel: str, settings: Mapping[str, str], weights: bool) -> Any:
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".", "_"))
    )
    if not files:
        raise UserError(f"Channel {channel} holds no files")
    kind = settings.get("ContentType", DEFAULT_TYPE).partition(";")[0].strip().lower()
    reader = _READERS.get(kind)
    if reader is None:
        raise UserError(
            f"Channel {channel} has the ContentType {kind!r}; the built-in XGBoost reads text/csv,"
            " text/libsvm and application/x-parquet"
        )
    try:
        return reader(files, weights)
    except UserError as error:
        raise UserError(f"Channel {channel}: {error}") from None


def _csv(files: list[Path], weights: bool) -> Any:
    import numpy

    tables = [_csv_values(file) for file in files]
    if len({table.shape[1] for table in tables}) > 1:
        raise UserError(f"the files have different numbers of columns: {_shapes(files, tables)}")
    return _labelled(numpy.concatenate(tables), weights)


def _csv_values(file: Path) -> Any:
    """float32 values of shape (rows, columns); an empty cell is NaN."""
    import pyarrow
    from pyarrow import csv

    first = _first_line(file)
    _refuse_header(file, first)
    separator = max(",;\t", key=first.count)
    names = [f"f{i}" for i in range(first.count(separator) + 1)]
    try:
        table = csv.read_csv(
            file,
            csv.ReadOptions(column_names=names),
            csv.ParseOptions(delimiter=separator),
            csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.float32())),
        )
    except pyarrow.ArrowInvalid as error:
        raise UserError(f"{file.name} is not a table of numbers: {str(error).splitlines()[0]}") from error
    return _values(table)


def _parquet(files: list[Path], weights: bool) -> Any:
    import pyarrow
    from pyarrow import parquet

    try:
        table = pyarrow.concat_tables(parquet.read_table(file) for file in files)
        numbers = table.cast(pyarrow.schema([(name, pyarrow.float32()) for name in table.column_names]))
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"not a Parquet table of numbers: {str(error).splitlines()[0]}") from error
    return _labelled(_values(numbers), weights)


def _values(table: Any) -> Any:
    import numpy

    return numpy.column_stack([column.to_numpy() for column in table.columns])


def _labelled(values: Any, weights: bool) -> Any:
    """Label in the first column; with csv_weights the row's weight in the second."""
    import numpy
    import xgboost

    first = 2 if weights else 1
    if values.shape[1] <= first:
        raise UserError(f"{values.shape[1]} columns are too few: label first, then the features")
    if numpy.isnan(values[:, 0]).any():
        raise UserError("the first column is the label, and a row has none there")
    weight = values[:, 1] if weights else None
    return xgboost.DMatrix(values[:, first:], label=values[:, 0], weight=weight)


def _libsvm(files: list[Path], weights: bool) -> Any:
    import io

    import xgboost
    from sklearn.datasets import load_svmlight_file

    if weights:
        raise UserError("csv_weights goes with text/csv only")
    text = b"".join(file.read_bytes().rstrip(b"\n") + b"\n" for file in files)
    try:
        values, labels = load_svmlight_file(io.BytesIO(text), zero_based=True)
    except ValueError as error:
        raise UserError(
            f"not libsvm (`label index:value ...`): {str(error).splitlines()[0]}. Is it text/csv? Then say"
            " so in the channel's ContentType"
        ) from error
    return xgboost.DMatrix(values, label=labels)


def _first_line(file: Path) -> str:
    with file.open("rb") as content:
        return content.readline(_LONGEST_LINE).decode("utf-8", "replace").strip()


def _refuse_header(file: Path, first: str) -> None:
    cells = first.replace(";", ",").replace("\t", ",").split(",")
    if not any(_is_number(cell) for cell in cells if cell.strip()):
        raise UserError(f"{file.name} begins with a header ({first[:80]!r}); it must hold numbers only")


def _is_number(cell: str) -> bool:
    try:
        float(cell.strip().strip('"'))
    except ValueError:
        return False
    return True


def _shapes(files: list[Path], tables: list[Any]) -> str:
    return ", ".join(f"{file.name} {table.shape[1]}" for file, table in zip(files, tables, strict=True))


_READERS: dict[str, Callable[[list[Path], bool], Any]] = {
    "text/csv": _csv,
    "csv": _csv,
    "text/libsvm": _libsvm,
    "libsvm": _libsvm,
    "text/x-libsvm": _libsvm,
    "application/x-parquet": _parquet,
    "parquet": _parquet,
}
