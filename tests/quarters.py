"""Unemployment in the United States, 1959 to 2009 by quarters: three turns of it, as data for a forecast."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
from statsmodels.datasets import macrodata

TURNS = {"1981": 12, "1990": 12, "2008": 16}
"""The year before which the known quarters of an item end, and how many they are."""
CONFIG: dict[str, Any] = {
    "dataset_type": "application/json",
    "headers": ["turn", "quarter", "unemployment", "inflation", "interest", "era"],
    "time_series_data_config": {
        "item_id": "[].turn",
        "timestamp": "[].quarter",
        "target_time_series": "[].unemp",
        "related_time_series": ["[].infl", "[].tbilrate"],
        "static_covariates": ["[].era"],
        "dataset_format": "timestamp_records",
    },
    "methods": {"report": {"name": "report", "title": "Unemployment"}},
    "predictor": {
        "content_template": '{"instances": $records}',
        "record_template": '{"start": $start_time, "target": $target_time_series, '
        '"dynamic_feat": $related_time_series, "cat": $static_covariates}',
        "time_series_predictor_config": {"forecast": "predictions[*].mean"},
    },
}
FINE = {
    "direction": "chronological",
    "granularity": "fine_grained",
    "num_samples": 9,
    "baseline": {
        "target_time_series": "mean",
        "related_time_series": "zero",
        "static_covariates": {"1981": [1], "1990": [1], "2008": [0]},
    },
}


def quarters() -> pd.DataFrame:
    """The table that statsmodels carries."""
    table = macrodata.load_pandas().data
    return table[["year", "quarter", "unemp", "infl", "tbilrate"]].astype({"year": int, "quarter": int})


def records() -> list[dict[str, Any]]:
    """The three turns as timestamp_records."""
    return list(_records(quarters()))


def _records(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for turn, length in TURNS.items():
        known = table[table["year"] < int(turn)].tail(length)
        for row in known.to_dict("records"):
            yield {
                "turn": turn,
                "quarter": f"{row['year']}-{3 * row['quarter'] - 2:02d}-01",
                **{name: row[name] for name in ("unemp", "infl", "tbilrate")},
                "era": int(int(turn) > 1984),
            }


def asked(shapley: dict[str, Any], **predictor: Any) -> dict[str, Any]:
    """The configuration of an explanation."""
    methods = {**CONFIG["methods"], "asymmetric_shapley_value": shapley}
    return {**CONFIG, "methods": methods, "predictor": {**CONFIG["predictor"], **predictor}}
