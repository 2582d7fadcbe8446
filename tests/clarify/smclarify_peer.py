"""A program that measures bias by smclarify 0.5: run in an environment that has it, one JSON case a line."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pandas as pd


def column(kind: str, values: list[Any]) -> pd.Series[Any]:
    """A column of one of the kinds that data sets have; None is a missing value."""
    if kind == "category":
        return pd.Series(values, dtype=object).astype("category")
    if kind == "float":
        return pd.Series(values, dtype="float64")
    if kind == "date":
        return pd.to_datetime(pd.Series(values, dtype=object))
    if kind in ("integer", "boolean"):
        return pd.Series(values, dtype="int64" if kind == "integer" else "bool")
    return pd.Series(values, dtype=object)


def table(columns: dict[str, dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame({name: column(c["kind"], c["values"]) for name, c in columns.items()})


def measure(case: dict[str, Any]) -> Any:
    """smclarify's report of a case, or the error that it raises instead of one."""
    from smclarify.bias import report

    data = table(case["columns"])
    predicted = case["predicted"]
    stage = report.StageType.PRE_TRAINING if predicted is None else report.StageType.POST_TRAINING
    try:
        return report.bias_report(
            data,
            report.FacetColumn(case["facet"], case["values"] and list(case["values"])),
            report.LabelColumn(case["label"], data[case["label"]], list(case["positive"])),
            stage,
            None if predicted is None else report.LabelColumn(predicted, data[predicted]),
            group_variable=None if case["group"] is None else data[case["group"]],
        )
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main() -> None:
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        print(json.dumps(measure(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
