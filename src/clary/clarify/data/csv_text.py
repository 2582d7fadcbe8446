"""CSV files as pandas reads them, with errors that say what to do."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pandas as pd

from clary.clarify.errors import ClarifyError


def parsed(file: Path, **how: Any) -> pd.DataFrame:
    """A CSV file; only empty cells are missing values."""
    try:
        found: pd.DataFrame = pd.read_csv(file, keep_default_na=False, na_values=[""], **how)
        return found
    except pd.errors.EmptyDataError:
        raise ClarifyError(f"{file.name} is empty.") from None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        reason = str(error).strip().removeprefix("Error tokenizing data. C error: ")
        raise ClarifyError(
            f"{file.name} is not CSV text ({reason}): mend it, or check dataset_type."
        ) from error


def first_line(file: Path) -> list[str]:
    """The cells of a CSV file's first line that is not blank."""
    with file.open(newline="", encoding="utf-8-sig") as lines:
        try:
            return next((line for line in csv.reader(lines) if line), [])
        except (UnicodeDecodeError, csv.Error) as error:
            raise ClarifyError(f"{file.name} is not CSV text ({error}): check dataset_type.") from error


def own_names(file: Path) -> list[str]:
    """The names in a file's first line. pandas would give doubled ones a number without a word."""
    names = first_line(file)
    doubled = [name for name in names if name and names.count(name) > 1]
    if doubled:
        raise ClarifyError(f"{file.name} has the column {doubled[0]!r} twice: rename one of them.")
    return names


def no_names_among(rows: pd.DataFrame, names: list[str], file: Path) -> None:
    """ClarifyError where a row repeats the names, as files that were put together have it."""
    if pd.api.types.is_numeric_dtype(rows.iloc[:, 0].dtype):
        return
    suspects = rows[rows.iloc[:, 0] == names[0]]
    repeated = suspects.index[(suspects.astype(str) == names).all(axis=1)]
    if len(repeated):
        raise ClarifyError(
            f"{file.name} has the line of names {len(repeated) + 1} times (row {repeated[0] + 1} of the data "
            "is one): remove all but the first."
        )
