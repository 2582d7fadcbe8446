"""Tables, files and models that nobody wants, through whole analyses: a result, or a sentence that helps."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clary import clarify

N = 60
PEOPLE = pd.DataFrame(
    {"age": range(20, 20 + N), "sex": ["f", "m"] * 30, "h": np.linspace(0, 1, N), "y": [1, 0, 0] * 20}
)
CONFIG: dict[str, Any] = {
    "dataset_type": "text/csv",
    "label": "y",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "sex", "value_or_threshold": ["f"]}],
    "methods": {
        "pre_training_bias": {"methods": "all"},
        "post_training_bias": {"methods": "all"},
        "shap": {"num_samples": 20},
        "pdp": {"top_k_features": 2},
        "report": {},
        "bias": {"replicates": 100},
    },
}


def model(features: pd.DataFrame) -> Any:
    """Numbers count a little, being "f" too; gaps and infinities are survived."""
    score = np.full(len(features), 0.1)
    for name in features:
        if pd.api.types.is_numeric_dtype(features[name]):
            score += np.nan_to_num(features[name].astype(float), posinf=1, neginf=0) * 1e-3
        else:
            score += 0.1 * (features[name].astype(str) == "f")
    return np.clip(score, 0, 1)


def analysed(
    folder: Path, data: Any, change: dict[str, Any] | None = None, predict: Any = model
) -> dict[str, Any]:
    found = clarify.analyze({**CONFIG, **(change or {})}, data, predict, folder / "out")
    json.dumps(found, allow_nan=False)
    assert (folder / "out" / "report.html").exists()
    return found


SURVIVED: dict[str, pd.DataFrame] = {
    "two rows": PEOPLE[:2],
    "40 rows": PEOPLE[:40],
    "NaN in all of a feature": PEOPLE.assign(h=np.nan),
    "None in all of a feature": PEOPLE.assign(h=[None] * N),
    "gaps": PEOPLE.assign(h=PEOPLE["h"].where(PEOPLE.index % 3 > 0)),
    "infinities": PEOPLE.assign(h=[np.inf, -np.inf, 1.0] * 20),
    "a constant feature": PEOPLE.assign(h=1.0),
    "constant features": PEOPLE.assign(h=1.0, age=3),
    "a constant facet": PEOPLE.assign(sex="f"),
    "a constant label": PEOPLE.assign(y=1),
    "dates": PEOPLE.assign(h=pd.date_range("2020", periods=N)),
    "mixed types": PEOPLE.assign(h=[1, "a", 2.5, None, True, "b"] * 10),
    "booleans with gaps": PEOPLE.assign(h=[True, None, False] * 20),
    "large integers": PEOPLE.assign(h=[2**62 + i for i in range(N)]),
    "integers beyond 64 bits": PEOPLE.assign(h=[2**70 + i for i in range(N)]),
    "unused categories": PEOPLE.assign(h=pd.Categorical(["a", "b"] * 30, categories=["a", "b", "z"])),
    "a name that is a number": PEOPLE.rename(columns={"h": 5}),
}  # fmt: skip


@pytest.mark.parametrize("as_file", [False, True], ids=["table", "CSV"])
@pytest.mark.parametrize("name", SURVIVED)
def test_a_table_is_analysed_with_values_or_reasons(tmp_path: Path, name: str, as_file: bool) -> None:
    data = SURVIVED[name]
    if as_file:
        data.to_csv(tmp_path / "in.csv", index=False)
    found = analysed(tmp_path, tmp_path / "in.csv" if as_file else data)
    for stage in ("pre_training_bias_metrics", "post_training_bias_metrics"):
        for metric in found[stage]["facets"]["sex"][0]["metrics"]:
            assert metric["value"] is not None or len(metric["error"]) > 20
    assert len(found["explanations"]["kernel_shap"]["label0"]["global_shap_values"]) == 3


def test_names_may_be_of_any_script(tmp_path: Path) -> None:
    data = PEOPLE.rename(columns={"sex": "пол ✓", "age": "年齢", "h": "<b>&"})
    facet = [{"name_or_index": "пол ✓", "value_or_threshold": ["f"]}]
    found = analysed(tmp_path, data, {"facet": facet})
    assert "пол ✓" in found["pre_training_bias_metrics"]["facets"]
    page = (tmp_path / "out/report.html").read_text("utf-8")
    assert "年齢" in page and "&lt;b&gt;&amp;" in page and "<b>&</" not in page


def test_two_thousand_columns_are_explained() -> None:
    wide = pd.DataFrame(np.arange(1, 2001.0).reshape(1, 2000)).add_prefix("c")
    settings = clarify.Shap(baseline=[[0.0] * 2000], num_samples=10)
    found = clarify.explain(wide, lambda f: f.to_numpy().sum(axis=1), settings)
    assert found.values[0, :, 0] == pytest.approx(wide.iloc[0], abs=0.05)


@pytest.mark.parametrize(
    ("data", "change", "says"),
    [
        (PEOPLE[:0], {}, "has no rows"),
        (pd.concat([PEOPLE, PEOPLE[["h"]]], axis=1), {}, "column 'h' twice"),
        (PEOPLE.assign(y=0), {}, "no row with [1]. The values are: '0'"),
        (PEOPLE, {"label": "Y"}, "The columns are: 'age', 'sex', 'h', 'y'. Did you mean 'y'?"),
        (PEOPLE, {"facet": [{"name_or_index": "sxe"}]}, "Did you mean 'sex'?"),
        (PEOPLE, {"group_variable": "group"}, "group_variable: there is no column 'group'"),
        (PEOPLE, {"excluded_columns": ["agee"]}, "Did you mean 'age'?"),
        (PEOPLE, {"excluded_columns": ["age", "sex", "h"]}, "No feature is left"),
        (PEOPLE, {"facet": [{"name_or_index": "y"}]}, "facet 'y' is the label"),
        (PEOPLE, {"facet": [{"name_or_index": "sex"}, {"name_or_index": 1}]}, "'sex' is asked twice"),
        (PEOPLE, {"label": -1}, "column -1, but there are 4"),
        (PEOPLE, {"methods": {"shap": {"features_to_explain": ["agee"]}}}, "'agee'. The features are"),
        (PEOPLE, {"methods": {"shap": {"num_rows": 0}}}, "num_rows must be at least 1"),
    ],
)
def test_what_cannot_be_analysed_is_said(
    tmp_path: Path, data: pd.DataFrame, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(clarify.ClarifyError, match=re.escape(says)):
        analysed(tmp_path, data, change)


MODELS: dict[str, tuple[Callable[[pd.DataFrame], Any], str]] = {
    "a row too few": (lambda f: np.zeros(len(f) - 1), "59 predictions for 60 rows"),
    "one number": (lambda f: 0.5, "answered 0.5 for 60 rows"),
    "nothing": (lambda f: None, "answered None for 60 rows"),
    "no rows": (lambda f: [], "answered [] for 60 rows"),
    "NaN": (lambda f: np.full(len(f), np.nan), "NaN or infinite"),
    "more than sums bear": (lambda f: np.full(len(f), 1e300), "beyond 1e100"),
    "other labels": (lambda f: ["cat"] * len(f), "('cat') are none of the label's values"),
    "three dimensions": (lambda f: np.zeros((len(f), 2, 2)), "answered 3 dimensions"),
    "objects": (lambda f: [{"score": 1}] * len(f), "give one number or label"),
    "ragged rows": (lambda f: [[0.1]] + [[0.1, 0.2]] * (len(f) - 1), "equally many numbers"),
    "another width later": (lambda f: np.zeros((len(f), 1 + (len(f) != N))), "scores a row, and 2 before"),
    "an exception": (lambda f: f["nothing"], "failed on 60 rows: KeyError: 'nothing'"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_models_bad_answer_is_told(tmp_path: Path, name: str) -> None:
    predict, says = MODELS[name]
    with pytest.raises(clarify.ClarifyError, match=re.escape(says)):
        analysed(tmp_path, PEOPLE, predict=predict)


CSV = PEOPLE.to_csv(index=False)
BARE = PEOPLE.to_csv(index=False, header=False)
HEADERS = {"headers": list(PEOPLE.columns)}
FILES: dict[str, tuple[bytes | dict[str, str], dict[str, Any], str]] = {
    "no line of names": (BARE.encode(), {}, "no column 'y'. The columns are: '20', 'f', '0.0', '1'"),
    "names twice": ((CSV.splitlines()[0] + "\n" + CSV).encode(), {}, "names 2 times (row 1"),
    "names twice and as headers": ((CSV.splitlines()[0] + "\n" + CSV).encode(), HEADERS, "names 2 times"),
    "files put together": ((CSV + CSV).encode(), {}, "names 2 times (row 61"),
    "a doubled name": (CSV.replace("h", "age", 1).encode(), {}, "has the column 'age' twice"),
    "an empty file": (b"", {}, "in.csv is empty"),
    "names alone": (b"age,sex,h,y\n", {}, "has no rows"),
    "a line too long": ((CSV + "1,f,2,1,9\n").encode(), {}, "Expected 4 fields in line 62, saw 5"),
    "a line too short": ((CSV + "1,f\n").encode(), {}, "missing in 1 of 61 rows"),
    "an open quote": ((CSV + '1,"f,2,1\n').encode(), {}, "EOF inside string"),
    "another encoding": (CSV.replace("f,", "ü,").encode("latin1"), {}, "not CSV text"),
    "a late wrong byte": (CSV.encode() + b"1,\xfc,2,1\n", {}, "not CSV text"),
    "UTF-16": (CSV.encode("utf16"), {}, "not CSV text"),
    "semicolons": (CSV.replace(",", ";").encode(), {}, "The columns are: 'age;sex;h;y'"),
    "Parquet": (PEOPLE.to_parquet(), {}, "not CSV text"),
    "no Parquet": (CSV.encode(), {"dataset_type": "application/x-parquet"}, "is not Parquet"),
    "no JSON": (CSV.encode(), {"dataset_type": "application/jsonlines"}, "line 1 is not JSON"),
    "no UTF-8 JSON": (b"\xff", {"dataset_type": "application/jsonlines"}, "not JSON text"),
    "other columns": (
        {"a.csv": CSV, "b.csv": CSV.replace("age", "years", 1)},
        {},
        "'age', 'years' is in only",
    ),
    "an empty file beside": ({"a.csv": CSV, "b.csv": ""}, {}, "b.csv is empty"),
    "an empty folder": ({}, {}, "There is no data set at"),
}


def written(folder: Path, content: bytes | dict[str, str]) -> Path:
    path = folder / "in.csv"
    if isinstance(content, bytes):
        path.write_bytes(content)
        return path
    path.mkdir()
    for name, text in content.items():
        (path / name).write_text(text)
    return path


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    content, change, says = FILES[name]
    with pytest.raises(clarify.ClarifyError, match=re.escape(says)):
        analysed(tmp_path, written(tmp_path, content), change)


@pytest.mark.parametrize(
    ("content", "change"),
    [
        (b"\xef\xbb\xbf" + CSV.encode(), {}),
        (b"\xef\xbb\xbf" + BARE.encode(), HEADERS),
        (CSV.replace("\n", "\r\n").encode(), {}),
        (b"\n\n" + CSV.encode(), {}),
        ({"a.csv": CSV, "b.csv": PEOPLE[["y", "h", "sex", "age"]].to_csv(index=False)}, {}),
        ({"a.csv": CSV, "b.csv": BARE}, HEADERS),
    ],
    ids=["BOM", "BOM without names", "CRLF", "blank lines", "another order", "names in one file only"],
)
def test_a_file_that_can_be_understood_is(
    tmp_path: Path, content: bytes | dict[str, str], change: dict[str, Any]
) -> None:
    found = analysed(tmp_path, written(tmp_path, content), change)
    values = found["pre_training_bias_metrics"]["facets"]["sex"][0]["metrics"]
    assert {m["name"]: m["value"] for m in values}["DPL"] == 0
    assert list(found["explanations"]["kernel_shap"]["label0"]["global_shap_values"]) == ["age", "sex", "h"]


def test_the_command_says_it_in_one_line(tmp_path: Path) -> None:
    config = {**CONFIG, "methods": {"pre_training_bias": {"methods": "all"}}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    for name, says in (
        ("names twice", "names 2 times"),
        ("UTF-16", "not CSV text"),
        ("an empty file", "empty"),
    ):
        (tmp_path / name).mkdir()
        data = written(tmp_path / name, FILES[name][0])
        command = [sys.executable, "-m", "clary.cli", "clarify", str(tmp_path / "config.json")]
        done = subprocess.run(
            [*command, "--data", str(data), "--output", str(tmp_path / "out")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert says in done.stderr and done.stderr.count("\n") == 1, done.stderr
