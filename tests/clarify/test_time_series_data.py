"""The three layouts of time series, as AWS's developer guide shows them, and what is wrong with others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clary.clarify import ClarifyError, Panel
from clary.clarify.config.analysis import parse
from clary.clarify.time_series.dataset import panel, read_panel
from clary.clarify.time_series.settings import series_data
from quarters import FINE, asked

COLUMNS = {
    "ids": [1, 1, 1, 2, 2],
    "timestamps": [0, 1, 2, 2, 3],
    "target_ts": [5, 6, 4, 0, 4],
    "rts1": [0, 1, 0, 1, 1],
    "rts2": [0, 0, 0, 1, 0],
    "scv1": [-1, -1, -1, 0, 0],
    "scv2": [1, 1, 1, 2, 2],
}
BY_COLUMNS = {
    "item_id": "ids",
    "timestamp": "timestamps",
    "target_time_series": "target_ts",
    "related_time_series": ["rts1", "rts2"],
    "static_covariates": ["scv1", "scv2"],
    "dataset_format": "columns",
}
NAMES = {"ids": "id", "timestamps": "timestamp"}
BY_TIMESTAMP = {
    "item_id": "[*].id",
    "timestamp": "[*].timestamp",
    "target_time_series": "[*].target_ts",
    "related_time_series": ["[*].rts1", "[*].rts2"],
    "static_covariates": ["[*].scv1", "[*].scv2"],
    "dataset_format": "TIMESTAMP_RECORDS",
}
BY_ITEM = {
    "item_id": "[*].id",
    "timestamp": "[*].timeseries[].timestamp",
    "target_time_series": "[*].timeseries[].target_ts",
    "related_time_series": ["[*].timeseries[].rts1", "[*].timeseries[].rts2"],
    "static_covariates": ["[*].scv1", "[*].scv2"],
    "dataset_format": "item_records",
}


def timestamp_records() -> list[dict[str, Any]]:
    names = [NAMES.get(name, name) for name in COLUMNS]
    return [dict(zip(names, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]


def item_records() -> list[dict[str, Any]]:
    items: dict[int, dict[str, Any]] = {}
    for record in timestamp_records():
        fixed = {name: record.pop(name) for name in ("id", "scv1", "scv2")}
        items.setdefault(fixed["id"], {**fixed, "timeseries": []})["timeseries"].append(record)
    return list(items.values())


LAYOUTS: list[Any] = [
    pytest.param(COLUMNS, BY_COLUMNS, id="columns"),
    pytest.param(timestamp_records(), BY_TIMESTAMP, id="timestamp_records"),
    pytest.param(item_records(), BY_ITEM, id="item_records"),
]


def read(document: Any, layout: dict[str, Any], headers: list[str] | None = None) -> Panel:
    return panel([document], series_data(layout), headers)


@pytest.mark.parametrize(("document", "layout"), LAYOUTS)
def test_every_layout_has_the_same_series(document: Any, layout: dict[str, Any]) -> None:
    found = read(document, layout)
    assert (found.target, list(found.related), list(found.static)) == (
        "target_ts",
        ["rts1", "rts2"],
        ["scv1", "scv2"],
    )
    first, second = found.items
    assert (first.item_id, second.item_id) == (1, 2)
    assert first.timestamps == [0, 1, 2]
    assert first.target.tolist() == [5, 6, 4]
    assert second.related.tolist() == [[1, 1], [1, 0]]
    assert second.static == [0, 2]


@pytest.mark.parametrize(("document", "layout"), LAYOUTS)
def test_headers_name_the_parts(document: Any, layout: dict[str, Any]) -> None:
    found = read(document, layout, ["item", "time", "y", "rain", "wind", "size", "kind"])
    assert (found.target, list(found.related), list(found.static)) == (
        "y",
        ["rain", "wind"],
        ["size", "kind"],
    )
    with pytest.raises(ClarifyError, match="headers has 2 names, but time_series_data_config has 7 parts"):
        read(document, layout, ["item", "time"])


def test_related_series_may_reach_into_the_future() -> None:
    """As in AWS's notebook, where the target of the steps to come is missing."""
    records = timestamp_records()[:3]
    records[1]["target_ts"] = None
    del records[2]["target_ts"]
    (found,) = read(records, BY_TIMESTAMP).items
    assert (found.target.tolist(), found.related.shape, found.steps) == ([5], (2, 3), 3)
    items = item_records()[:1]
    for step in items[0]["timeseries"][1:]:
        del step["target_ts"]
    assert read(items, BY_ITEM).items[0].target.tolist() == [5]


def test_an_item_may_go_on_in_another_file(tmp_path: Path) -> None:
    records = timestamp_records()
    (tmp_path / "1.json").write_text(json.dumps(records[:2]))
    (tmp_path / "2.json").write_text(json.dumps(records[2:]))
    found = read_panel(tmp_path, series_data(BY_TIMESTAMP), None)
    assert [series.target.tolist() for series in found.items] == [[5, 6, 4], [0, 4]]


def changed(position: int, **values: Any) -> list[dict[str, Any]]:
    records = timestamp_records()
    records[position] |= values
    return records


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (changed(1, timestamp=None), "Item 1 has no timestamp at its step 1"),
        (changed(1, timestamp="Tuesday"), "must all be numbers, or all dates such as 2024-01-31"),
        (changed(2, timestamp=0.5), "Item 1 has 0.5 after 1: sort its steps by time"),
        (changed(2, timestamp=1), "Item 1 has the timestamp 1 twice"),
        (changed(3, id=None), "finds a step without an item id"),
        (changed(1, target_ts=None), "target_ts is None at 1"),
        (changed(1, target_ts=float("nan")), "target_ts is nan at 1"),
        (changed(4, rts2="wet"), "Item 2: rts2 is 'wet' at 3"),
        (changed(4, rts1=None), "Item 2: rts1 is None at 3"),
        (changed(1, scv1=7), "scv1 changes with time: it belongs to related_time_series"),
        (changed(3, scv2=None, target_ts=1), "Item 2 has no value of the static covariate scv2"),
        ({"rows": []}, "finds no list"),
        ([], "the data set has no steps"),
    ],
)
def test_wrong_records(document: Any, says: str) -> None:
    with pytest.raises(ClarifyError) as caught:
        read(document, BY_TIMESTAMP)
    assert says in str(caught.value)


def test_ragged_series() -> None:
    with pytest.raises(
        ClarifyError, match=r"different lengths \(ids: 5, timestamps: 5, target_ts: 5, rts1: 2"
    ):
        read(COLUMNS | {"rts1": [0, 1]}, BY_COLUMNS)
    items: list[dict[str, Any]] = [{"id": "a", "t": [1, 2], "y": [5, 6], "r": [1]}]
    layout = {
        "item_id": "[*].id",
        "timestamp": "[*].t",
        "target_time_series": "[*].y",
        "related_time_series": ["[*].r"],
        "dataset_format": "item_records",
    }
    with pytest.raises(ClarifyError, match=r"series of item 'a' have different lengths \(t: 2, y: 2, r: 1\)"):
        read(items, layout)
    items[0]["r"] = [1, 2]
    assert read(items, layout).items[0].related.tolist() == [[1, 2]]


def test_a_future_without_related_series_is_refused() -> None:
    layout = {key: value for key, value in BY_TIMESTAMP.items() if "_" in key or key == "timestamp"}
    layout = layout | {"related_time_series": [], "static_covariates": []}
    with pytest.raises(ClarifyError, match="Item 1 has no target_ts at 2: without related series"):
        read(changed(2, target_ts=None), layout)


def asked_with(**shapley: Any) -> dict[str, Any]:
    return asked(FINE | shapley)


def without(config: dict[str, Any], *path: str) -> dict[str, Any]:
    found = json.loads(json.dumps(config))
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return dict(found)


TIMEWISE = asked({"direction": "bidirectional", "granularity": "timewise"})


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (asked_with(num_samples=0), "num_samples must be at least 1"),
        (asked_with(direction="anti_chronological"), "fine_grained explanations are chronological"),
        (asked_with(direction="sideways"), "direction is 'sideways'. The values are: 'chronological'"),
        (asked_with(granularity="fine-grained"), "Did you mean 'fine_grained'?"),
        (asked_with(baseline={"target_time_series": "median"}), "target_time_series is 'median'"),
        (asked_with(baseline={"targets": "zero"}), "has no key 'targets'"),
        (asked_with(baseline={"static_covariates": {"1981": 1}}), "'1981' must have a list of values"),
        (asked(FINE | {"granularity": "timewise"}), "num_samples is for fine_grained explanations"),
        (
            asked({"granularity": "timewise", "baseline": FINE["baseline"]}),
            "baseline.static_covariates is for fine_grained explanations",
        ),
        (without(TIMEWISE, "time_series_data_config"), "time_series_data_config is missing"),
        (
            without(TIMEWISE, "predictor", "time_series_predictor_config"),
            "config is missing: explanations of",
        ),
        (without(TIMEWISE, "methods", "asymmetric_shapley_value"), "asymmetric_shapley_value is missing"),
        (without(TIMEWISE, "time_series_data_config", "dataset_format"), "lacks dataset_format"),
        (TIMEWISE | {"dataset_type": "text/csv"}, "application/json, not text/csv"),
        (TIMEWISE | {"excluded_columns": ["x"]}, "excluded_columns has no meaning for time series"),
        (
            TIMEWISE | {"methods": TIMEWISE["methods"] | {"shap": {}}},
            "methods.shap does not go with time series",
        ),
        (asked(FINE, accept_type="text/csv"), "application/json, not text/csv"),
        (asked(FINE, probability="p"), "predictor.probability has no meaning for time series"),
        (
            TIMEWISE | {"time_series_data_config": {"item_id": 1, "timestamp": 2, "target_time_series": 3}},
            "has the position 3: the data set is JSON",
        ),
    ],
)
def test_wrong_configurations(config: dict[str, Any], says: str) -> None:
    with pytest.raises(ClarifyError) as caught:
        parse(config)
    assert says in str(caught.value)
