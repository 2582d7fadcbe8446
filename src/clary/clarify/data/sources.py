"""Data set files that can be read a batch of rows at a time."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from clary.clarify.config.analysis import AnalysisConfig
from clary.clarify.data.csv_text import first_line, own_names
from clary.clarify.data.dataset import files_below, first_line_is_names, headers_or, names_columns
from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.counting.files import Source, columns_of


def source(path: Path, config: AnalysisConfig) -> Source | None:
    """The same files for reading a batch at a time; None where the type of the data set does not allow it."""
    if config.dataset_type == "application/x-parquet":
        return parquet_source(path, config.headers)
    if config.dataset_type == "text/csv":
        return csv_source(path, config.headers, names_columns(config))
    return None


def source_of(path: Path) -> Source:
    """The Parquet or CSV files at a path, told apart by their names."""
    names = {file.suffix.lower() for file in files_below(path)}
    if names <= {".parquet", ".pq"}:
        return parquet_source(path, None)
    if names <= {".csv"}:
        return csv_source(path, None, named=True)
    raise ClarifyError(f"{path.name} is neither .parquet nor .csv: give a table, or rename the file.")


def parquet_source(path: Path, headers: list[str] | None) -> Source:
    files = tuple(files_below(path))
    try:
        columns = columns_of(pq.read_schema(files[0]))
    except pa.ArrowInvalid as error:
        raise ClarifyError(f"{files[0].name} is not Parquet ({error}): check dataset_type.") from error
    return Source(files, headers_or(columns, headers), parquet=True)


def csv_source(path: Path, headers: list[str] | None, named: bool) -> Source:
    files = tuple(files_below(path))
    first = first_line(files[0])
    with_names = tuple(first_line_is_names(file, headers, named) for file in files)
    columns = own_names(files[0]) if with_names[0] else [f"column_{i}" for i in range(len(first))]
    return Source(files, headers_or(columns, headers), parquet=False, with_names=with_names)
