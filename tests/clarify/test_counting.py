"""The same rows counted from memory, from Parquet and from CSV, in one batch or many: the same metrics."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clary import clarify
from clary.clarify.fairness.counting import files
from clary.clarify.fairness.counting.codes import Coded
from clary.clarify.fairness.counting.tally import tally

NAMES = ["AD", "CDDPL", "DAR", "DCA", "DCR", "DI", "DPPL", "DRR", "GE", "RD", "SD", "TE"]
"""All post-training metrics but the flip test, which needs the rows."""


def people(rows: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    income = rng.choice(["low", "high"], rows)
    return pd.DataFrame(
        {
            "sex": rng.choice(["f", "m", None], rows, p=[0.4, 0.5, 0.1]),
            "age": rng.integers(18, 90, rows),
            "pay": rng.gamma(2.0, 1000.0, rows),
            "member": rng.random(rows) < 0.3,
            "since": pd.to_datetime(rng.choice(["2020-01-01", "2021-06-30"], rows)),
            "code": rng.integers(0, 100_000, rows),
            "team": rng.choice(["x", "y", "z"], rows),
            "income": income,
            "guess": np.where(rng.random(rows) < 0.8, income, "low"),
            "weight": rng.random(rows),
        }
    )


FACETS: dict[str, Any] = {
    "sex": ["f"],
    "age": None,
    "pay": [2000],
    "member": [True],
    "since": ["2021-06-30"],
    "code": [50_000],
}
TARGET = clarify.Target("income", ["high"], "guess")


def number(value: float | str | None) -> float:
    return math.nan if value is None else float(value)


def metrics(data: Any, facets: dict[str, Any], **more: Any) -> dict[str, Any]:
    found = clarify.bias(data, facets, TARGET, "team", NAMES, intervals=None, **more)
    return {
        f"{name} {facet.value_or_threshold}": {m["name"]: number(m["value"]) for m in facet.metrics}
        for name, facets in found.facets.items()
        for facet in facets
    }


def equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert list(one) == list(other)
    for name, values in one.items():
        assert values == pytest.approx(other[name], rel=1e-12, abs=1e-12, nan_ok=True), name


@pytest.mark.parametrize("weights", [None, "weight"], ids=["rows", "weights"])
@pytest.mark.parametrize("kind", ["parquet", "csv", "two files"])
def test_files_give_what_memory_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, weights: str | None
) -> None:
    """In many batches, row groups with their own dictionaries, one scan for all facets."""
    data = people(3000)
    monkeypatch.setattr(files, "BATCH", 700)
    monkeypatch.setattr(files, "BLOCK", 20_000)
    if kind == "csv":
        data.to_csv(tmp_path / "data.csv", index=False)
    elif kind == "parquet":
        data.to_parquet(tmp_path / "data.parquet", row_group_size=1000)
    else:
        data[:1000].to_parquet(tmp_path / "1.parquet")
        data[1000:].to_parquet(tmp_path / "2.parquet")
    facets = {**FACETS, "since": ["2021-06-30"]}
    equal(metrics(tmp_path, facets, weights=weights), metrics(data, facets, weights=weights))


def test_values_come_in_the_order_in_which_they_appear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BATCH", 100)
    data = people(2000).assign(sex=["u"] + ["f"] * 999 + ["m"] * 500 + ["a"] * 500)
    data.to_parquet(tmp_path / "data.parquet", row_group_size=400)
    for source in (data, tmp_path / "data.parquet", data.astype({"sex": "category"})):
        assert list(metrics(source, {"sex": None})) == ["sex u", "sex f", "sex m", "sex a"]


def test_a_csv_whose_first_rows_mislead_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SAMPLE", 10)
    data = people(500).assign(age=[*range(20, 60)] * 12 + [33.5] * 20)
    data.to_csv(tmp_path / "data.csv", index=False)
    equal(metrics(tmp_path, {"age": [33.2]}), metrics(data, {"age": [33.2]}))


def test_integers_with_gaps_are_a_quantity_as_pandas_reads_them(tmp_path: Path) -> None:
    data = people(500)
    column = pa.array([None if i % 50 == 0 else i % 7 for i in range(500)], pa.int64())
    frame = pa.Table.from_pandas(data).append_column("level", column)
    pq.write_table(frame, tmp_path / "data.parquet")
    (found,) = metrics(tmp_path / "data.parquet", {"level": [3]})
    assert found == "level (3.0, 6.0]"
    whole = data.assign(level=[np.nan if i % 50 == 0 else i % 7 for i in range(500)])
    equal(metrics(tmp_path / "data.parquet", {"level": [3]}), metrics(whole, {"level": [3]}))


def test_a_declared_category_stays_one(tmp_path: Path) -> None:
    data = people(300).assign(level=pd.Series([str(i) for i in range(300)], dtype="category"))
    data.to_parquet(tmp_path / "data.parquet")
    assert list(metrics(tmp_path, {"level": ["7"]})) == list(metrics(data, {"level": ["7"]})) == ["level 7"]


def test_integers_named_as_quantities_have_a_threshold(tmp_path: Path) -> None:
    data = people(5000)
    data.to_parquet(tmp_path / "data.parquet")
    assert list(metrics(data, {"age": [40]})) == ["age 40"]
    named = metrics(data, {"age": [40]}, quantities=["age"])
    assert list(named) == ["age (40.0, 89.0]"]
    equal(metrics(tmp_path, {"age": [40]}, quantities=["age"]), named)


columns = st.lists(
    st.tuples(st.integers(1, 400), st.sampled_from([np.int8, np.int16, np.int32, np.int64]), st.booleans()),
    min_size=1,
    max_size=5,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(columns, st.integers(1, 300), st.integers(0, 2**32 - 1), st.booleans())
def test_cells_are_counted_whatever_their_number(
    shapes: list[tuple[int, Any, bool]], rows: int, seed: int, weighted: bool
) -> None:
    """One byte, two, four or hashing; with gaps or without: compared with a plain dictionary."""
    rng = np.random.default_rng(seed)
    coded = []
    for values, dtype, gaps in shapes:
        kind = np.int16 if values > 127 and dtype is np.int8 else dtype
        coded.append(
            Coded(rng.integers(-int(gaps), values, rows).astype(kind), range(values), "integer", gaps=gaps)
        )
    weights = rng.random(rows) if weighted else None
    found = tally([coded], coded, weights)
    expected: dict[tuple[int, ...], list[float]] = {}
    for i, key in enumerate(zip(*(c.codes.tolist() for c in coded), strict=True)):
        expected.setdefault(key, []).append(1.0 if weights is None else weights[i])
    counted = dict(zip(map(tuple, found.codes.tolist()), found.rows.tolist(), strict=True))
    assert counted == {key: len(values) for key, values in expected.items()}
    if found.weights is not None:
        sums = dict(zip(map(tuple, found.codes.tolist()), found.weights.tolist(), strict=True))
        assert all(math.isclose(sums[key], sum(values)) for key, values in expected.items())


def test_blocks_of_any_length_are_counted() -> None:
    """Keys of one byte are counted in pairs: odd rows, several parts and blocks lose none."""
    rng = np.random.default_rng(3)
    lengths = (1, 2, 3, (1 << 18) - 1, (1 << 18) + 1)
    parts = [[Coded(rng.integers(0, 3, n).astype(np.int8), "abc", "text", gaps=False)] for n in lengths]
    found = tally(parts, parts[0])
    together = np.concatenate([part[0].codes for part in parts])
    assert found.rows.tolist() == np.bincount(together).tolist()


def test_what_is_not_in_the_files_is_named(tmp_path: Path) -> None:
    people(50).to_parquet(tmp_path / "data.parquet")
    for facets, target, group, says in [
        ({"sexx": ["f"]}, TARGET, None, "Did you mean 'sex'"),
        ({"sex": ["F"]}, TARGET, None, "no row with"),
        ({"sex": ["f"]}, clarify.Target("incme", ["high"]), None, "Did you mean 'income'"),
        ({"sex": ["f"]}, clarify.Target("income", ["high"], "gues"), None, "Did you mean 'guess'"),
        ({"sex": ["f"]}, TARGET, "tem", "Did you mean 'team'"),
        ({"sex": ["f"]}, clarify.Target(pd.Series(["high"]), ["high"]), None, "are columns: name them"),
    ]:
        with pytest.raises(clarify.ClarifyError, match=says):
            clarify.bias(tmp_path / "data.parquet", facets, target, group)
    with pytest.raises(clarify.ClarifyError, match="There is no data set"):
        clarify.bias(tmp_path / "other.parquet", {"sex": ["f"]}, TARGET)
    (tmp_path / "data.txt").write_text("x")
    with pytest.raises(clarify.ClarifyError, match=r"neither \.parquet nor \.csv"):
        clarify.bias(tmp_path / "data.txt", {"sex": ["f"]}, TARGET)
    (tmp_path / "bad.parquet").write_text("x")
    with pytest.raises(clarify.ClarifyError, match="is not Parquet"):
        clarify.bias(tmp_path / "bad.parquet", {"sex": ["f"]}, TARGET)


def test_the_flip_test_of_files_reads_their_rows(tmp_path: Path) -> None:
    data = people(400)[["sex", "age", "pay", "income", "guess"]]
    data.to_parquet(tmp_path / "data.parquet")
    target = clarify.Target("income", ["high"], "guess")
    found = [
        clarify.bias(source, {"sex": ["f"]}, target, methods=methods, intervals=None).facets["sex"][0].metrics
        for source, methods in itertools.product((data, tmp_path), ("all", ["FT"]))
    ]
    values = {m["value"] for records in found for m in records if m["name"] == "FT"}
    assert len(values) == 1
    assert None not in values


@pytest.mark.parametrize("kind", ["application/x-parquet", "text/csv"])
def test_many_rows_are_analysed_without_holding_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    data = people(4000).dropna()
    asked = {
        "dataset_type": kind,
        "headers": list(data.columns),
        "label": "income",
        "label_values_or_threshold": ["high"],
        "predicted_label": "guess",
        "facet": [{"name_or_index": "sex", "value_or_threshold": ["f"]}, {"name_or_index": "team"}],
        "group_variable": "member",
        "methods": {
            "pre_training_bias": {"methods": "all"},
            "post_training_bias": {"methods": "all"},
            "report": {"name": "report", "title": "T"},
        },
    }
    if kind == "text/csv":
        data.to_csv(tmp_path / "data.csv", index=False, header=False)
    else:
        data.to_parquet(tmp_path / "data.parquet")
    whole = clarify.analyze(asked, tmp_path)
    for module in ("analysis", "streaming"):
        monkeypatch.setattr(f"clary.clarify.fairness.{module}.MOST_FLIPPED", 1000)
    told: list[str] = []
    counted = clarify.analyze(asked, tmp_path, output_dir=tmp_path / "out", log=told.append)
    assert told[0] == f"Counted {len(data):,} rows from their files, a part at a time."
    assert f"{len(data):,}" in (tmp_path / "out/report.html").read_text("utf-8")
    for stage in ("pre_training_bias_metrics", "post_training_bias_metrics"):
        for facet in counted[stage]["facets"]["sex"] + whole[stage]["facets"]["sex"]:
            facet["metrics"] = [m for m in facet["metrics"] if m["name"] != "FT"]
        assert counted[stage]["facets"]["sex"] == whole[stage]["facets"]["sex"]
        assert counted[stage]["intersections"] == whole[stage]["intersections"]
