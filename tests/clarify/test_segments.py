"""segment_config: the same measurements of some of the rows alone, as if they were all there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

from clary import clarify

RNG = np.random.default_rng(5)
N = 4000
PEOPLE = pd.DataFrame(
    {
        "age": RNG.integers(18, 80, N),
        "hours": RNG.uniform(1, 80, N).round(1),
        "sex": RNG.choice(["f", "m"], N),
        "town": RNG.choice(["A", "B", "C", "D"], N),
        "y": RNG.integers(0, 2, N),
    }
)
BY_AGE = {"name_or_index": "age", "segments": [["[18, 30)"], ["[30, 40]", "(60, 70]"]]}
BY_TOWN = {
    "name_or_index": "town",
    "segments": [["A", "B"]],
    "config_name": "towns",
    "display_aliases": ["old", "new"],
}


def model(features: pd.DataFrame) -> Any:
    return (features["age"] / 100 + features["hours"] / 400 + 0.1 * (features["sex"] == "f")).to_numpy()


def analysed(segments: list[dict[str, Any]], data: pd.DataFrame = PEOPLE, **more: Any) -> dict[str, Any]:
    config = {
        "dataset_type": "text/csv",
        "label": "y",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "sex", "value_or_threshold": ["f"]}],
        "methods": {
            "pre_training_bias": {"methods": "all"},
            "post_training_bias": {"methods": "all"},
            "shap": {"baseline": [[40, 30.0, "m", "A"]], "num_rows": 400},
            "bias": {"replicates": 0},
        },
        "segment_config": segments,
        **more,
    }
    output = more.pop("output", None)
    return clarify.analyze({k: v for k, v in config.items() if k != "output"}, data, model, output)


def alone(rows: pd.Series) -> dict[str, Any]:
    return analysed([], PEOPLE[rows].reset_index(drop=True))


def values(found: dict[str, Any], stage: str) -> dict[str, Any]:
    metrics = found[f"{stage}_training_bias_metrics"]["facets"]["sex"][0]["metrics"]
    return {m["name"]: m["value"] for m in metrics}


def test_a_segment_is_measured_as_if_its_rows_were_all() -> None:
    found = analysed([BY_AGE, BY_TOWN])["segments"]
    by_age, by_town = found["age"], found["towns"]
    assert (by_age["column"], by_town["column"]) == ("age", "town")
    assert list(by_age["segments"]) == ["[18, 30)", "[30, 40], (60, 70]", "__default__"]
    assert list(by_town["segments"]) == ["old", "new"]
    age = PEOPLE["age"]
    middle = age.between(30, 40) | ((age > 60) & (age <= 70))
    for name, rows in (("[18, 30)", age < 30), ("[30, 40], (60, 70]", middle), ("__default__", None)):
        chosen = ~(age < 30) & ~middle if rows is None else rows
        segment, expected = by_age["segments"][name], alone(chosen)
        assert segment["rows"] == chosen.sum()
        for stage in ("pre", "post"):
            assert values(segment, stage) == pytest.approx(values(expected, stage), nan_ok=True)
    assert by_age["segments"]["__default__"]["values"] == "__default__"
    assert by_town["segments"]["old"]["rows"] == PEOPLE["town"].isin(["A", "B"]).sum()


def test_shap_values_of_a_segment_are_the_means_over_its_rows(tmp_path: Path) -> None:
    found = analysed([BY_TOWN], output=tmp_path)
    local = pd.read_csv(tmp_path / "explanations_shap/out.csv")
    assert len(local) == 400 and local["row"].is_monotonic_increasing
    town = PEOPLE["town"].to_numpy()[local["row"]]
    shap = found["segments"]["towns"]["segments"]["new"]["explanations"]["kernel_shap"]["label0"]
    assert shap["global_shap_values"]["age"] == pytest.approx(
        local["age_label0"][~np.isin(town, ["A", "B"])].abs().mean()
    )
    page = (tmp_path / "report.html").read_text() if (tmp_path / "report.html").exists() else ""
    assert page == "", "no report was asked"


def test_the_report_shows_segments_beside_the_whole(tmp_path: Path) -> None:
    methods = {"pre_training_bias": {"methods": "all"}, "report": {"title": "T"}}
    analysed([BY_TOWN, BY_AGE], methods=methods, output=tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "towns (town)" in page and "[30, 40], (60, 70]" in page and "All rows" in page
    notebook = nbformat.read(tmp_path / "report.ipynb", as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    drawn = "".join(o["data"].get("text/html", "") for c in notebook.cells for o in c.get("outputs", []))
    assert f"town: old, {PEOPLE['town'].isin(['A', 'B']).sum()} rows" in drawn


def test_a_facet_means_the_same_in_every_segment() -> None:
    """Of few rows 5 % of an integer's values differ, so that it would turn into a quantity in a segment."""
    facet = [{"name_or_index": "age", "value_or_threshold": [40]}]
    methods = {"pre_training_bias": {"methods": ["CI"]}}
    hours = {"name_or_index": "hours", "segments": [["(-inf, 3]"]]}
    found = analysed([hours], facet=facet, methods=methods)
    whole = found["pre_training_bias_metrics"]["facets"]["age"][0]
    part = found["segments"]["hours"]["segments"]["(-inf, 3]"]
    assert whole["value_or_threshold"] == "40"
    rows = PEOPLE[PEOPLE["hours"] <= 3]
    assert rows["age"].nunique() > 0.05 * len(rows)
    d = (rows["age"] == 40).sum()
    (there,) = part["pre_training_bias_metrics"]["facets"]["age"]
    assert there["value_or_threshold"] == "40"
    assert there["metrics"][0]["value"] == pytest.approx((len(rows) - 2 * d) / len(rows))


def test_a_segments_error_is_its_own() -> None:
    segments = [
        {"name_or_index": "town", "segments": [["Z"], ["A"]]},
        {"name_or_index": "sex", "segments": [["f"], ["m"]]},
        {"name_or_index": "age", "segments": [["[200, 300]"]]},
    ]
    found = analysed(segments)["segments"]
    nobody, towners = found["town"]["segments"]["Z"], found["town"]["segments"]["A"]
    assert nobody["rows"] == 0 and "The values are: " in nobody["errors"][0]
    assert "errors" not in towners and values(towners, "pre")["CI"] is not None
    assert "no row with ['f']" in found["sex"]["segments"]["m"]["errors"][0]
    assert found["sex"]["segments"]["m"]["explanations"]["kernel_shap"]
    assert found["sex"]["segments"]["__default__"]["errors"] == ["Every row is in one of the segments."]
    assert "runs from 18 to 79" in found["age"]["segments"]["[200, 300]"]["errors"][0]


def test_a_missing_value_is_in_the_default_segment() -> None:
    gaps = PEOPLE.assign(town=PEOPLE["town"].where(PEOPLE.index >= 50))
    methods = {"pre_training_bias": {"methods": ["CI"]}}
    found = analysed([{"name_or_index": "town", "segments": [["A", "B", "C", "D"]]}], gaps, methods=methods)
    assert found["segments"]["town"]["segments"]["__default__"]["rows"] == 50


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name_or_index": "twn"}, "Did you mean 'town'"),
        ({"name_or_index": 9}, "there are 5 columns"),
        ({"segments": []}, "a list of lists"),
        ({"segments": ["A"]}, "a list of lists"),
        ({"segments": [["A"], []]}, "a list of lists"),
        ({"segments": [[None]]}, "use text or numbers"),
        ({"display_aliases": ["a", "b", "c"]}, "1 segments and 3 display_aliases"),
        ({"display_aliases": ["a", "a"]}, "calls two segments 'a'"),
        ({"name": "x"}, "has no key 'name'"),
        ({"name_or_index": "hours", "segments": [["1, 2"]]}, "is no interval"),
        ({"name_or_index": "hours", "segments": [["[1, 2]", "3"]]}, "'3' is no interval"),
        ({"name_or_index": "hours", "segments": [["[4, 2]"]]}, "ends before it begins"),
    ],
)
def test_a_wrong_segmentation_is_refused_by_name(change: dict[str, Any], says: str) -> None:
    wrong = {"name_or_index": "town", "segments": [["A"]], **change}
    with pytest.raises(clarify.ClarifyError, match=re.escape(says)):
        analysed([wrong])


def test_two_segmentations_of_a_name_are_refused() -> None:
    with pytest.raises(clarify.ClarifyError, match="config_name of its own"):
        analysed([BY_AGE, BY_AGE])


def test_a_facet_without_rows_in_a_segment_leaves_the_others() -> None:
    facet = [
        {"name_or_index": "sex", "value_or_threshold": ["f"]},
        {"name_or_index": "town", "value_or_threshold": ["A"]},
    ]
    methods = {"pre_training_bias": {"methods": ["DPL"]}}
    old = analysed([BY_TOWN], facet=facet, methods=methods)["segments"]["towns"]["segments"]["new"]
    assert set(old["pre_training_bias_metrics"]["facets"]) == {"sex"}
    assert "'town' has no row with ['A']" in old["errors"][0]


def test_a_threshold_is_the_same_facet_where_the_largest_value_is_another(tmp_path: Path) -> None:
    facet = [{"name_or_index": "age", "value_or_threshold": [40]}]
    methods = {
        "pre_training_bias": {"methods": ["DPL"]},
        "bias": {"quantities": ["age"]},
        "report": {"title": "T"},
    }
    segments = [{"name_or_index": "age", "segments": [["[30, 50]"]]}]
    found = analysed(segments, facet=facet, methods=methods, output=tmp_path)
    part = found["segments"]["age"]["segments"]["[30, 50]"]["pre_training_bias_metrics"]["facets"]["age"][0]
    assert part["value_or_threshold"] == "(40.0, 50.0]"
    page = (tmp_path / "report.html").read_text()
    section = page[page.index('<section id="segments">') :]
    shown = section[: section.index("</table>")]
    assert f"{part['metrics'][0]['value']:+.3f}".replace("-", "\N{MINUS SIGN}") in shown
