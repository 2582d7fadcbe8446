"""The counting itself: rows of codes into cells, one pass over all columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clary.clarify.fairness.counting.codes import Coded

BLOCK = 1 << 18
"""Rows whose keys are made at a time, so that they stay in the processor's cache."""

MOST_BINS = 1 << 20
"""Above it cells are found by hashing instead of in a table of all combinations."""

Weights = NDArray[np.float64]
Keys = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class Cells:
    """The combinations of codes that occur: their codes (cells x columns), their rows, the rows' weights."""

    codes: NDArray[np.intp]
    rows: NDArray[np.float64]
    weights: Weights | None = None
    squares: Weights | None = None


def tally(parts: Iterable[Sequence[Coded]], like: Sequence[Coded], weights: Weights | None = None) -> Cells:
    """Count the rows of every combination of the columns' codes, which mean the same as in `like`.

    A combination's key is a number whose digits are the codes; of a column with gaps the codes from 1, with 0
    for a missing value. Keys are made without these ones and turned back at the end: so codes are used as
    they are, and -1 is a code too.
    """
    slots = [column.slots for column in like]
    bins = math.prod(slots)
    if bins > MOST_BINS or weights is not None:
        together = zip(*([column.codes for column in part] for part in parts), strict=True)
        return _hashed([np.concatenate(codes) for codes in together], slots, weights)
    ones = sum(math.prod(slots[i + 1 :]) * column.gaps for i, column in enumerate(like))
    counts = _bytes(parts, slots) if bins <= 1 << 8 else _words(parts, slots, bins)
    counts = counts[(np.arange(bins) - ones) % len(counts)]
    at = np.flatnonzero(counts)
    codes = np.stack(np.unravel_index(at, slots), axis=1) - np.array([column.gaps for column in like])
    return Cells(codes, counts[at].astype(np.float64))


def summed(keys: NDArray[Any], values: Weights, size: int = 0) -> Weights:
    """The sum of the values of each key."""
    return np.asarray(np.bincount(keys, values, size), dtype=np.float64)


def _keys(parts: Iterable[Sequence[Coded]], slots: list[int], dtype: np.dtype[Any]) -> Iterator[Keys]:
    """The keys of one block of rows after the other, in the same memory."""
    keys = np.empty(BLOCK, dtype)
    for columns in parts:
        rows = len(columns[0].codes)
        for start in range(0, rows, BLOCK):
            key = keys[: min(BLOCK, rows - start)]
            for i, (column, digits) in enumerate(zip(columns, slots, strict=True)):
                codes = _unsigned(column.codes[start : start + len(key)], dtype)
                if i == 0:
                    key[:] = codes
                else:
                    np.multiply(key, dtype.type(digits), out=key)
                    np.add(key, codes, out=key)
            yield key


def _unsigned(codes: NDArray[Any], dtype: np.dtype[Any]) -> Keys:
    return codes.view(dtype) if codes.dtype.itemsize == dtype.itemsize else codes.astype(dtype)


def _bytes(parts: Iterable[Sequence[Coded]], slots: list[int]) -> NDArray[np.intp]:
    """Counts of keys of one byte: two neighbouring rows are counted as one number of two bytes."""
    pairs, last = np.zeros(1 << 16, np.intp), np.zeros(1 << 8, np.intp)
    for key in _keys(parts, slots, np.dtype(np.uint8)):
        found = np.bincount(key[: len(key) // 2 * 2].view(np.uint16))
        pairs[: len(found)] += found
        last += np.bincount(key[len(key) // 2 * 2 :], minlength=len(last))
    table = pairs.reshape(1 << 8, 1 << 8)
    return np.asarray(table.sum(axis=0) + table.sum(axis=1) + last)


def _words(parts: Iterable[Sequence[Coded]], slots: list[int], bins: int) -> NDArray[np.intp]:
    """Counts of keys of two or four bytes."""
    dtype = np.dtype(np.uint16 if bins <= 1 << 16 else np.uint32)
    size = 1 << 16 if bins <= 1 << 16 else MOST_BINS
    counts = np.zeros(size, np.intp)
    for key in _keys(parts, slots, dtype):
        found = np.bincount(key % size if size == MOST_BINS else key)
        counts[: len(found)] += found
    return counts


def _hashed(columns: Sequence[NDArray[Any]], slots: list[int], weights: Weights | None) -> Cells:
    """The same by hashing, which also sums weights."""
    combined, first = numbered(columns, slots)
    sums = [] if weights is None else [summed(combined, w) for w in (weights, weights**2)]
    codes = np.stack([column[first].astype(np.intp) for column in columns], axis=1)
    return Cells(codes, np.bincount(combined).astype(np.float64), *sums)


def numbered(
    columns: Sequence[NDArray[Any]], slots: Sequence[int]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Each row's combination of codes, numbered as they appear, and the first row of each combination."""
    combined = np.zeros(len(columns[0]), np.intp)
    for codes, digits in zip(columns, slots, strict=True):
        combined, _ = pd.factorize(combined * (digits + 1) + codes + 1)
    first = np.zeros(int(combined.max()) + 1, np.intp)
    first[combined[::-1]] = np.arange(len(combined))[::-1]
    return combined, first
