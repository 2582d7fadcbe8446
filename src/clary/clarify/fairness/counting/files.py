"""Files read a batch of rows at a time, only the asked columns, straight into codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from clary.clarify.data.csv_text import parsed
from clary.clarify.fairness.counting.codes import Coded
from clary.clarify.fairness.counting.encode import Question, from_arrow

BATCH = 1 << 17
"""Rows of a Parquet file that are read at a time: their codes stay in the processor's cache."""

RUN = 16
"""Batches that are counted together at most."""

BLOCK = 1 << 22
"""Bytes of a CSV file that are in memory at a time."""

SAMPLE = 10_000
"""The rows of a CSV file that say what its columns hold."""


class UnlikeSampleError(Exception):
    """A CSV file turned out to hold something else than its first rows: it must be read whole."""


@dataclass(frozen=True)
class Source:
    """A data set in files. `names` are the columns' names, whatever the files call them."""

    files: tuple[Path, ...]
    names: tuple[str, ...]
    parquet: bool
    with_names: tuple[bool, ...] = ()
    """For each CSV file, whether its first line is names."""

    @property
    def rows_about(self) -> int:
        """The number of rows; of CSV a guess from the length of the first lines."""
        if self.parquet:
            return self.most_rows
        with self.files[0].open("rb") as lines:
            first = [len(line) for line, _ in zip(lines, range(100), strict=False)]
        return sum(file.stat().st_size for file in self.files) * len(first) // max(sum(first), 1)

    @property
    def most_rows(self) -> int:
        """The number of rows, or (of CSV) a number that it cannot exceed."""
        if self.parquet:
            return sum(pq.read_metadata(file).num_rows for file in self.files)
        return sum(file.stat().st_size // 2 + 1 for file in self.files)


def batches(source: Source, questions: Sequence[Question]) -> Iterator[list[Coded]]:
    """The asked columns of one batch of rows after the other."""
    places = [source.names.index(question.name) for question in questions]
    read = _parquet_batches if source.parquet else _csv_batches
    for batch, categories in read(source, sorted(set(places))):
        columns = {place: batch.column(i) for i, place in enumerate(sorted(set(places)))}
        yield [
            from_arrow(columns[place], question, place in categories)
            for place, question in zip(places, questions, strict=True)
        ]


def runs(parts: Iterable[list[Coded]]) -> Iterator[Iterator[list[Coded]]]:
    """Batches that follow each other and whose codes mean the same, at most RUN of them together."""

    def meaning(numbered: tuple[int, list[Coded]]) -> tuple[Any, ...]:
        number, columns = numbered
        return number // RUN, *((column.values, column.kind, column.gaps) for column in columns)

    for _, run in groupby(enumerate(parts), meaning):
        yield (columns for _, columns in run)


def whole(source: Source, names: Sequence[str] | None = None) -> pd.DataFrame:
    """The data set, or some of its columns, in memory."""
    asked = list(source.names if names is None else dict.fromkeys(names))
    if source.parquet:
        frames = [pd.read_parquet(f).set_axis(list(source.names), axis=1)[asked] for f in source.files]
    else:
        frames = [
            parsed(file, **_reading(source, named), usecols=asked)[asked]
            for file, named in zip(source.files, source.with_names, strict=True)
        ]
    return pd.concat(frames, ignore_index=True)


def _reading(source: Source, named: bool) -> dict[str, Any]:
    """How pandas reads a CSV file under the source's names."""
    return {"header": None, "names": list(source.names), "skiprows": int(named)}


def numbers(column: Coded) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A coded column of numbers as numbers, NaN where a value is missing or no number."""
    values = pd.to_numeric(pd.Series([*column.values, None], dtype=object), errors="coerce")
    return values.to_numpy(dtype=np.float64)[column.codes]


def _parquet_batches(source: Source, places: list[int]) -> Iterator[tuple[pa.RecordBatch, set[int]]]:
    for file in source.files:
        schema = pq.read_schema(file)
        names = [columns_of(schema)[place] for place in places]
        kinds = [schema.field(name).type for name in names]
        texts = [name for name, kind in zip(names, kinds, strict=True) if _is_text(kind)]
        categories = {p for p, kind in zip(places, kinds, strict=True) if pa.types.is_dictionary(kind)}
        reader = pq.ParquetFile(file, read_dictionary=texts)
        for batch in reader.iter_batches(BATCH, columns=names, use_threads=False):
            if batch.num_rows:
                yield batch.select(names), categories


def columns_of(schema: pa.Schema) -> list[str]:
    """The columns of a Parquet file, without an index that pandas wrote."""
    index = (schema.pandas_metadata or {}).get("index_columns", [])
    return [name for name in schema.names if name not in index]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _csv_batches(source: Source, places: list[int]) -> Iterator[tuple[pa.RecordBatch, set[int]]]:
    names = [source.names[place] for place in places]
    types = _csv_types(source, names)
    convert = arrow_csv.ConvertOptions(
        include_columns=names, column_types=types, null_values=[""], strings_can_be_null=True
    )
    for file, named in zip(source.files, source.with_names, strict=True):
        options = arrow_csv.ReadOptions(
            column_names=list(source.names), skip_rows=int(named), block_size=BLOCK, use_threads=False
        )
        try:
            for batch in arrow_csv.open_csv(file, read_options=options, convert_options=convert):
                if batch.num_rows:
                    yield batch, set()
        except pa.ArrowInvalid as error:
            raise UnlikeSampleError(str(error)) from error


def _csv_types(source: Source, names: list[str]) -> dict[str, pa.DataType]:
    """The types that pandas reads from the first rows."""
    how = _reading(source, source.with_names[0])
    sample = parsed(source.files[0], **how, nrows=SAMPLE, usecols=names)
    return {name: _csv_type(sample[name].dtype) for name in names}


def _csv_type(dtype: Any) -> pa.DataType:
    if pd.api.types.is_bool_dtype(dtype):
        return pa.bool_()
    if pd.api.types.is_integer_dtype(dtype):
        return pa.int64()
    if pd.api.types.is_float_dtype(dtype):
        return pa.float64()
    return pa.dictionary(pa.int32(), pa.string())
