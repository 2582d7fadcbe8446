"""Columns of pandas and of Arrow into codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clary.clarify.data.columns import Column
from clary.clarify.errors import ClarifyError
from clary.clarify.fairness.counting.codes import ABOVE, BELOW, EQUAL, SIDES, Coded, Kind, Numbers

MOST_DENSE = 256
"""Integers that span no more values are counted value by value."""


FEW = 100
"""So many values are sooner read one by one than through pandas."""


@dataclass(frozen=True)
class Question:
    """How a column is going to be asked: against one number (`pivot`) or by its values.

    More than `enough` different integers need not be counted.
    """

    name: str
    pivot: float | None = None
    enough: int = 0
    quantity: bool = False
    """Whether integers are read as floats are: as a quantity, however few of them differ."""


def from_series(column: Column, question: Question) -> Coded:
    """A pandas column in codes."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        codes = column.array.codes
        return Coded(codes, dtype.categories.tolist(), "category", gaps=bool(codes.min(initial=0) < 0))
    if pd.api.types.is_numeric_dtype(dtype):
        return _numeric(column, question)
    if isinstance(dtype, pd.StringDtype):
        return from_arrow(_array(pa.array(column, from_pandas=True)), question)
    return _factorized(column, "date" if pd.api.types.is_datetime64_any_dtype(dtype) else "text")


def _numeric(column: Column, question: Question) -> Coded:
    dtype: Any = column.dtype
    if pd.api.types.is_bool_dtype(dtype):
        if column.hasnans:
            return _factorized(column.astype(object), "boolean")
        return Coded(column.to_numpy(dtype=bool).view(np.uint8), (False, True), "boolean", gaps=False)
    if pd.api.types.is_integer_dtype(dtype) and not column.hasnans and not question.quantity:
        return _integers(column.to_numpy(dtype=getattr(dtype, "numpy_dtype", dtype)), question)
    return _quantities(column.to_numpy(dtype=np.float64, na_value=np.nan), question)


def from_arrow(array: pa.Array, question: Question, category: bool = False) -> Coded:
    """An Arrow column in codes; `category` says that its file declares it so."""
    kind = array.type
    if pa.types.is_nested(kind):
        raise ClarifyError(f"The column {question.name!r} holds {kind}: bias is measured of plain values.")
    if pa.types.is_boolean(kind):
        codes = pc.fill_null(array.cast(pa.int8()), -1).to_numpy()
        return Coded(codes, (False, True), "boolean", gaps=array.null_count > 0)
    if pa.types.is_integer(kind) and array.null_count == 0 and not question.quantity:
        return _integers(array.to_numpy(), question)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _quantities(array.cast(pa.float64()).to_numpy(zero_copy_only=False), question)
    if not pa.types.is_dictionary(kind):
        array = array.dictionary_encode()
    return _dictionary(array, "category" if category else "date" if pa.types.is_temporal(kind) else "text")


def _array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _dictionary(array: pa.DictionaryArray, kind: Kind) -> Coded:
    indices = array.indices
    codes = (pc.fill_null(indices, -1) if indices.null_count else indices).to_numpy()
    if len(array.dictionary) < np.iinfo(np.int8).max:
        codes = codes.astype(np.int8)
    plain = kind != "date" and len(array.dictionary) < FEW
    values = array.dictionary.to_pylist() if plain else array.dictionary.to_pandas().tolist()
    return Coded(codes, values, kind, gaps=array.null_count > 0)


def _factorized(column: Column, kind: Kind) -> Coded:
    try:
        codes, values = pd.factorize(column)
    except TypeError:
        raise ClarifyError(
            f"The column {column.name!r} holds lists or objects: bias is measured of plain values."
        ) from None
    return Coded(codes, list(values), kind)


def _integers(numbers: NDArray[Any], question: Question) -> Coded:
    if not len(numbers):
        return Coded(numbers.astype(np.int8), (), "integer")
    low, high = int(numbers.min()), int(numbers.max())
    if high - low < MOST_DENSE:
        codes = numbers if low == 0 else numbers - numbers.dtype.type(low)
        return Coded(codes, range(low, high + 1), "integer", gaps=False)
    if question.pivot is None:
        codes, values = pd.factorize(numbers)
        return Coded(codes, values.tolist(), "integer")
    several = _different(numbers, question.enough)
    return Coded(
        _sides(numbers, question.pivot), SIDES, "integer", question.pivot, Numbers(low, high, several)
    )


def _different(numbers: NDArray[Any], enough: int) -> NDArray[Any]:
    """The different numbers, or at least `enough` of them."""
    seen = numbers[:0]
    for start in range(0, len(numbers), max(enough * 2, 1 << 16)):
        seen = pd.unique(np.concatenate([seen, numbers[start : start + max(enough * 2, 1 << 16)]]))
        if len(seen) >= enough:
            break
    return seen


def _quantities(numbers: NDArray[np.float64], question: Question) -> Coded:
    if question.pivot is None:
        places, values = pd.factorize(numbers)
        return Coded(places, values.tolist(), "quantity")
    codes = _sides(numbers, question.pivot)
    missing = np.isnan(numbers)
    if missing.any():
        codes[missing] = -1
    if missing.all():
        return Coded(codes, SIDES, "quantity", question.pivot)
    bounds = Numbers(float(np.nanmin(numbers)), float(np.nanmax(numbers)), numbers[:0])
    return Coded(codes, SIDES, "quantity", question.pivot, bounds)


def _sides(numbers: NDArray[Any], pivot: float) -> NDArray[np.int8]:
    codes = (numbers > pivot).view(np.int8) * np.int8(ABOVE - BELOW)
    codes += (numbers == pivot).view(np.int8) * np.int8(EQUAL - BELOW)
    return codes
