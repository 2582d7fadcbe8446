"""Channels of the built-in XGBoost as matrices: text/csv (label first, no header), libsvm, Parquet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clary.containers.xgboost_parameters import UserError

CHANNELS = ("train", "validation")
DEFAULT_TYPE = "text/libsvm"
_CSV_SNIFF = 4096


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
    import pandas

    frames = []
    for file in files:
        _refuse_header(file)
        try:
            frames.append(pandas.read_csv(file, header=None, dtype=numpy.float32, sep=_separator(file)))
        except (ValueError, pandas.errors.ParserError) as error:
            raise UserError(f"{file.name} is not a table of numbers: {str(error).splitlines()[0]}") from error
    if len({frame.shape[1] for frame in frames}) > 1:
        raise UserError(f"the files have different numbers of columns: {_shapes(files, frames)}")
    return _labelled(numpy.concatenate([frame.to_numpy() for frame in frames]), weights)


def _parquet(files: list[Path], weights: bool) -> Any:
    import numpy
    import pandas

    try:
        table = pandas.concat([pandas.read_parquet(file) for file in files], ignore_index=True)
        values = table.to_numpy(dtype=numpy.float32, na_value=numpy.nan)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"not a Parquet table of numbers: {str(error).splitlines()[0]}") from error
    return _labelled(values, weights)


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


def _refuse_header(file: Path) -> None:
    with file.open("rb") as content:
        first = content.read(_CSV_SNIFF).partition(b"\n")[0].decode("utf-8", "replace").strip()
    cells = first.replace(";", ",").replace("\t", ",").split(",")
    if cells and not any(_is_number(cell) for cell in cells if cell.strip()):
        raise UserError(f"{file.name} begins with a header ({first[:80]!r}); it must hold numbers only")


def _separator(file: Path) -> str:
    with file.open("rb") as content:
        first = content.read(_CSV_SNIFF).partition(b"\n")[0].decode("utf-8", "replace")
    return max(",;\t", key=first.count)


def _is_number(cell: str) -> bool:
    try:
        float(cell.strip().strip('"'))
    except ValueError:
        return False
    return True


def _shapes(files: list[Path], frames: list[Any]) -> str:
    return ", ".join(f"{file.name} {frame.shape[1]}" for file, frame in zip(files, frames, strict=True))


_READERS: dict[str, Callable[[list[Path], bool], Any]] = {
    "text/csv": _csv,
    "csv": _csv,
    "text/libsvm": _libsvm,
    "libsvm": _libsvm,
    "text/x-libsvm": _libsvm,
    "application/x-parquet": _parquet,
    "parquet": _parquet,
}
