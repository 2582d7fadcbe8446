"""The census as the demo uses it: a training and a test table, and the numeric form for built-in XGBoost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

LABEL = "Target"
POSITIVE = ">50K"
TRAIN_ROWS = 32_561
"""The first rows are the census's own training part, as it was published."""


@dataclass(frozen=True)
class Census:
    """Paths of the files that are uploaded, and a few rows to ask the endpoint about."""

    train: Path
    test: Path
    xgboost_train: Path
    xgboost_test: Path
    whole: Path
    columns: list[str]
    rows: int
    asked: list[str]


def prepare(adult: Path, folder: Path) -> Census:
    """Split `adult` (a CSV with a header) and write every form into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.read_csv(adult)
    train, test = table[:TRAIN_ROWS], table[TRAIN_ROWS:]
    numeric = pd.DataFrame({LABEL: (table[LABEL] == POSITIVE).astype(int)})
    for name in table.columns.drop(LABEL):
        column = table[name]
        numeric[name] = (
            column if pd.api.types.is_numeric_dtype(column) else column.astype("category").cat.codes
        )
    census = Census(
        train=folder / "train.csv",
        test=folder / "test.csv",
        xgboost_train=folder / "xgboost" / "train.csv",
        xgboost_test=folder / "xgboost" / "test.csv",
        whole=adult,
        columns=list(table.columns),
        rows=len(table),
        asked=test.drop(columns=LABEL).head(5).to_csv(index=False, header=False).splitlines(),
    )
    census.xgboost_train.parent.mkdir(exist_ok=True)
    train.to_csv(census.train, index=False)
    test.to_csv(census.test, index=False)
    numeric[:TRAIN_ROWS].to_csv(census.xgboost_train, index=False, header=False)
    numeric[TRAIN_ROWS:].to_csv(census.xgboost_test, index=False, header=False)
    return census
