"""The baseline of Kernel SHAP: the rows that stand for "feature not known"."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd

from clary.clarify.data.columns import Column
from clary.clarify.errors import ClarifyError
from clary.clarify.shap.prototypes import best_number, clusters, points


def given(baseline: str | list[Any] | dict[str, Any], features: pd.DataFrame) -> pd.DataFrame:
    """A configured baseline: rows in place, or a file of them (CSV, JSON Lines or JSON)."""
    rows: Any = _from_file(Path(baseline), features) if isinstance(baseline, str) else baseline
    if isinstance(rows, dict):
        rows = rows.get("instances", rows.get("features", [rows]))
    if isinstance(rows, list) and rows and not isinstance(rows[0], list | dict):
        rows = [rows]
    if not isinstance(rows, list) or not rows:
        raise ClarifyError("methods.shap.baseline has no rows: give one row of feature values or more.")
    return _typed(pd.DataFrame([_row(row, features) for row in rows], columns=features.columns), features)


def _from_file(path: Path, features: pd.DataFrame) -> list[Any]:
    import json

    if not path.exists():
        raise ClarifyError(f"methods.shap.baseline: there is no file at {path}.")
    text = path.read_text("utf-8")
    if text.lstrip().startswith(("{", "[")):
        try:
            parsed = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            parsed = json.loads(text)
        return parsed[0] if len(parsed) == 1 and isinstance(parsed[0], list) else parsed
    frame = pd.read_csv(io.StringIO(text), header=None, keep_default_na=False, na_values=[""], dtype=object)
    rows: list[Any] = frame.to_numpy().tolist()
    return rows[1:] if [str(v) for v in rows[0]] == list(map(str, features.columns)) else rows


def _row(row: Any, features: pd.DataFrame) -> list[Any]:
    if isinstance(row, dict) and isinstance(row.get("features"), list):
        row = row["features"]
    if isinstance(row, dict):
        missing = [c for c in features.columns if c not in row]
        if missing:
            raise ClarifyError(f"methods.shap.baseline lacks the feature {missing[0]!r}.")
        return [row[c] for c in features.columns]
    if not isinstance(row, list) or len(row) != features.shape[1]:
        wide = len(row) if isinstance(row, list) else 1
        raise ClarifyError(
            f"A row of methods.shap.baseline has {wide} values, but the model gets "
            f"{features.shape[1]} features: {', '.join(map(str, features.columns))}. Leave out "
            "label, prediction and excluded columns."
        )
    return row


def _typed(rows: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Numbers where the feature has numbers; text where it has text."""
    for name in features.columns:
        if pd.api.types.is_numeric_dtype(features[name].dtype):
            numbers = pd.to_numeric(rows[name], errors="coerce")
            bad = rows[name][numbers.isna() & rows[name].notna()]
            if len(bad):
                raise ClarifyError(
                    f"methods.shap.baseline: {name!r} is a number, but the row has {bad.iloc[0]!r}."
                )
            rows[name] = numbers
        else:
            rows[name] = rows[name].map(lambda v: v if v is None or pd.isna(v) else str(v))
    return rows


def typical(features: pd.DataFrame) -> pd.DataFrame:
    """One row: the median of each number (a value that occurs), the most frequent of each other feature."""
    return pd.DataFrame({name: [_centre(features[name])] for name in features.columns})


def clustered(features: pd.DataFrame, number: int | None, seed: int | None) -> pd.DataFrame:
    """One typical row for each cluster of k-prototypes: `number` of them at most, or an optimal number.

    The row of a cluster is made as in `typical`, so that every value occurs in the data. The clusters are the
    same each time where there is no seed, too.
    """
    start, of = seed or 0, points(features)
    labels = clusters(of, best_number(of, start) if number is None else number, start)
    rows = [typical(features[labels == k]) for k in range(int(labels.max()) + 1)]
    return pd.concat(rows, ignore_index=True)


def _centre(column: Column) -> Any:
    present = column.dropna()
    if present.empty:
        return column.iloc[0]
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return present.quantile(0.5, interpolation="lower")
    return present.mode().iloc[0]
