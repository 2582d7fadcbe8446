"""The report's section on the data: its columns, what is missing in them, and how the label is spread."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from clary.clarify.data.columns import Column
from clary.clarify.fairness.measure import StageBias
from clary.clarify.findings import Findings
from clary.clarify.report import words
from clary.clarify.report.charts import is_number
from clary.clarify.report.drawing import picture
from clary.clarify.report.scale import rounded

SHOWN_COLUMNS = 40
SHOWN_CLASSES = 12
BINS = 20
PIECES = 5


def section(findings: Findings) -> dict[str, Any] | None:
    """The data's shape; None where its rows were only counted."""
    roles = findings.roles
    named = {
        "label": roles.label,
        "prediction": roles.predicted,
        "weight": roles.weights,
        "key": roles.joinsource,
    }
    if roles.table.empty:
        return None
    columns = {str(c.name): (c, role) for role, c in named.items() if c is not None}
    for name in roles.table.columns:
        columns.setdefault(str(name), (roles.table[name], _part(str(name), findings)))
    ordered = sorted(columns.values(), key=lambda item: _ORDER.index(item[1].split(",")[0]))
    rows = [_column(column, role) for column, role in ordered[:SHOWN_COLUMNS]]
    return {
        "columns": rows,
        "more": len(ordered) - len(rows),
        "label": None if roles.label is None else _label(roles.label, findings),
        "notes": _notes(findings, [column for column, _ in ordered]),
    }


_ORDER = ("label", "prediction", "facet", "group", "feature", "not for the model", "weight", "key")


def counted(stage: StageBias) -> dict[str, Any] | None:
    """How the label is spread where the rows were only counted."""
    facets = [facet for values in stage.facets.values() for facet in values]
    if not facets:
        return None
    rows = facets[0].contrast.sizes.sum(axis=(0, 2))
    classes = [
        _class(name, int(n), float(n / rows.sum()), float(n / rows.max()), is_positive)
        for name, n, is_positive in (
            (stage.label_value_or_threshold, rows[1], True),
            ("all others", rows[0], False),
        )
    ]
    label = {"name": stage.label, "classes": classes, "more": 0, "svg": ""}
    note = "The rows were counted from their files, a part at a time: columns are not described."
    return {"columns": [], "more": 0, "label": label, "notes": [note]}


def _class(name: str, rows: int, share: float, width: float, positive: bool) -> dict[str, Any]:
    parts = [("d" if positive else "a", 0, round(100 * width, 2))]
    return {"name": name, "rows": rows, "share": share, "positive": positive, "parts": parts}


def _part(name: str, findings: Findings) -> str:
    roles = findings.roles
    model = name in roles.features.columns
    if name in roles.facets:
        return "facet, feature" if model else "facet"
    if roles.group is not None and name == roles.group.name:
        return "group, feature" if model else "group"
    return "feature" if model else "not for the model"


def _column(column: Column, role: str) -> dict[str, Any]:
    missing = int(column.isna().sum())
    number = is_number(column)
    return {
        "name": str(column.name),
        "role": role,
        "kind": _kind(column),
        "missing": f"{missing:,} ({words.percent(missing / len(column))})" if missing else "none",
        "gaps": bool(missing),
        "distinct": f"{column.nunique():,}",
        "summary": _numbers(column) if number else _categories(column),
        "svg": _histogram(column) if number else _pieces(column),
    }


def _kind(column: Column) -> str:
    if pd.api.types.is_bool_dtype(column.dtype):
        return "true or false"
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "date"
    if is_number(column):
        return "integer" if pd.api.types.is_integer_dtype(column.dtype) else "number"
    return "category" if isinstance(column.dtype, pd.CategoricalDtype) else "text"


def _numbers(column: Column) -> str:
    present = column.dropna().to_numpy(dtype=float)
    if not present.size:
        return "no values"
    low, middle, high = (words.plain(float(v)) for v in (present.min(), np.median(present), present.max()))
    return f"{low} to {high}, median {middle}"


def _categories(column: Column) -> str:
    counts = column.value_counts()[:3]
    if counts.empty:
        return "no values"
    if counts.iloc[0] == 1:
        return "every value once"
    return ", ".join(f"{_short(value)} {words.percent(n / len(column), 0)}" for value, n in counts.items())


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 24 else text[:23] + "…"


def _bins(column: Column) -> list[tuple[float, float, float]]:
    present = column.dropna().to_numpy(dtype=float)
    present = present[np.isfinite(present)]
    if not present.size:
        return []
    # Between 0 and 1: of huge numbers that are close together the steps would be too fine to tell apart.
    low, high = present.min() / 2, present.max() / 2
    counts, _ = np.histogram((present / 2 - low) / ((high - low) or 1.0), bins=BINS, range=(0, 1))
    width = 120 / BINS
    return [
        (round(i * width, 2), round(width - 0.8, 2), round(max(24 * n / counts.max(), 1 if n else 0), 1))
        for i, n in enumerate(counts.tolist())
    ]


def _histogram(column: Column, cut: float | None = None) -> str:
    return picture("histogram", _bins(column), cut)


def _pieces(column: Column) -> str:
    counts = column.value_counts(dropna=True)[:PIECES].tolist()
    parts, start = [], 0.0
    for i, n in enumerate([*counts, len(column) - sum(counts)]):
        width = 120 * n / len(column)
        parts.append(
            (f"p{i}" if i < len(counts) else "track", round(start, 2), round(max(width - 0.6, 0.3), 2))
        )
        start += width
    return picture("pieces", parts if counts else [])


def _label(label: Column, findings: Findings) -> dict[str, Any]:
    """How the label is spread: its classes, or, of a quantity with a threshold, what lies above."""
    positive = [str(v) for v in findings.config.label_values_or_threshold]
    if is_number(label) and label.nunique() > SHOWN_CLASSES:
        return _quantity(label, positive)
    counts = label.map(str).value_counts()
    top = int(counts.max())
    classes = [
        _class(str(value), int(n), n / len(label), n / top, _is_one_of(str(value), positive))
        for value, n in counts[:SHOWN_CLASSES].items()
    ]
    return {
        "name": str(label.name),
        "classes": classes,
        "more": max(0, len(counts) - SHOWN_CLASSES),
        "svg": "",
    }


def _is_one_of(value: str, positive: list[str]) -> bool:
    return value in positive or value.removesuffix(".0") in [p.removesuffix(".0") for p in positive]


def _quantity(label: Column, positive: list[str]) -> dict[str, Any]:
    numbers = label.to_numpy(dtype=float)
    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    cut = float(positive[0]) if len(positive) == 1 else None
    at = None if cut is None or high == low else 120 * (cut - low) / (high - low)
    ticks = [(round(100 * (v - low) / ((high - low) or 1), 2), words.plain(v)) for v in rounded(low, high, 5)]
    return {
        "name": str(label.name),
        "classes": [],
        "more": 0,
        "svg": _histogram(label, at),
        "ticks": ticks,
        "above": ""
        if cut is None
        else f"{words.percent(float((numbers > cut).mean()))} lie above {words.plain(cut)}",
        "summary": _numbers(label),
    }


def _notes(findings: Findings, columns: list[Column]) -> list[str]:
    """What a reader should know before believing the rest."""
    rows = findings.rows
    notes = []
    gaps = [c for c in columns if c.isna().any()]
    if gaps:
        worst = max(gaps, key=lambda c: int(c.isna().sum()))
        notes.append(
            f"{len(gaps)} of {len(columns)} columns have missing values, {worst.name} the most: "
            f"{words.percent(float(worst.isna().mean()))}."
        )
    constant = [str(c.name) for c in columns if c.nunique() < 2]
    if constant:
        notes.append(f"The same value in every row: {_listed(constant)}. Nothing can depend on it.")
    if rows < 100 and findings.config.measures_bias:
        notes.append(
            f"{rows:,} rows are few: most differences below may be chance. The intervals say how far."
        )
    return notes


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
