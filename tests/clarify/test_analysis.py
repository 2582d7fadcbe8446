"""A whole analysis: the files of Clarify's layout from every data format, and errors that say what to do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from clary import clarify

ROWS = 60
RNG = np.random.default_rng(11)
PEOPLE = pd.DataFrame(
    {
        "id": [f"p{i}" for i in range(ROWS)],
        "age": RNG.integers(18, 70, ROWS),
        "Sex": RNG.choice(["Male", "Female"], ROWS),
        "hours": RNG.integers(10, 60, ROWS),
        "income": RNG.choice([">50K", "<=50K"], ROWS, p=[0.4, 0.6]),
    }
)


def config(**more: Any) -> dict[str, Any]:
    return {
        "dataset_type": "text/csv",
        "headers": list(PEOPLE.columns),
        "label": "income",
        "label_values_or_threshold": [">50K"],
        "facet": [{"name_or_index": "Sex", "value_or_threshold": ["Female"]}],
        "joinsource_name_or_index": "id",
        "methods": {
            "pre_training_bias": {"methods": "all"},
            "post_training_bias": {"methods": "all"},
            "shap": {"seed": 3, "baseline": [[40, "Male", 40]]},
            "report": {"name": "report", "title": "Analysis Report"},
        },
        **more,
    }


def model(people: pd.DataFrame) -> np.ndarray[Any, Any]:
    assert list(people.columns) == ["age", "Sex", "hours"]
    return (people["age"] / 200 + people["hours"] / 120 + 0.1 * (people["Sex"] == "Male")).to_numpy()


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("analysis")
    data = folder / "data.csv"
    PEOPLE.to_csv(data, index=False, header=False)
    clarify.analyze(config(), data, model, folder / "out")
    return folder / "out"


def test_the_files_lie_where_clarify_puts_them(output: Path) -> None:
    files = sorted(str(p.relative_to(output)) for p in output.rglob("*") if p.is_file())
    assert files == [
        *("analysis.json", "explanations_shap/baseline.csv", "explanations_shap/out.csv"),
        *("report.html", "report.ipynb", "report.pdf"),
    ]


def test_analysis_json_is_laid_out_as_clarify_does(output: Path) -> None:
    found = json.loads((output / "analysis.json").read_text("utf-8"))
    assert list(found) == [
        "version",
        "pre_training_bias_metrics",
        "post_training_bias_metrics",
        "explanations",
        "mitigation",
    ]
    for stage in ("pre_training_bias_metrics", "post_training_bias_metrics"):
        assert found[stage]["label"] == "income"
        assert found[stage]["label_value_or_threshold"] == ">50K"
        (facet,) = found[stage]["facets"]["Sex"]
        assert facet["value_or_threshold"] == "Female"
        assert {"name", "description", "value"} <= set(facet["metrics"][0])
    shap = found["explanations"]["kernel_shap"]["label0"]
    assert list(shap["global_shap_values"]) == ["age", "Sex", "hours"]
    assert shap["expected_value"] == pytest.approx(40 / 200 + 40 / 120 + 0.1)


def test_the_metrics_are_those_of_the_models_answers(output: Path) -> None:
    found = json.loads((output / "analysis.json").read_text("utf-8"))
    metrics = found["post_training_bias_metrics"]["facets"]["Sex"][0]["metrics"]
    positive = model(PEOPLE[["age", "Sex", "hours"]]) > 0.5
    female = (PEOPLE["Sex"] == "Female").to_numpy()
    expected = positive[~female].mean() - positive[female].mean()
    assert next(m["value"] for m in metrics if m["name"] == "DPPL") == pytest.approx(expected)


def test_local_values_add_up_for_every_row(output: Path) -> None:
    local = pd.read_csv(output / "explanations_shap/out.csv")
    assert list(local.columns) == ["id", "age_label0", "Sex_label0", "hours_label0"]
    assert local["id"].tolist() == PEOPLE["id"].tolist()
    total = local.drop(columns="id").sum(axis=1) + 40 / 200 + 40 / 120 + 0.1
    assert total.to_numpy() == pytest.approx(model(PEOPLE[["age", "Sex", "hours"]]))
    assert pd.read_csv(output / "explanations_shap/baseline.csv").to_numpy().tolist() == [[40, "Male", 40]]


def test_the_page_needs_no_network(output: Path) -> None:
    page = (output / "report.html").read_text("utf-8")
    assert "Female has" in page
    assert page.count('class="metric"') == 21
    assert not re.search(r"https?://|src=|@import|url\(", page)


def test_names_from_the_data_are_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    data = PEOPLE.rename(columns={"hours": evil}).replace({"Sex": {"Female": "<b>F</b>"}})
    asked = config(
        headers=list(data.columns), facet=[{"name_or_index": "Sex", "value_or_threshold": ["<b>F</b>"]}]
    )
    asked["methods"]["report"]["title"] = evil
    clarify.analyze(asked, data, lambda f: f["age"] / 100, tmp_path)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert evil not in page
    assert "<b>F</b>" not in page
    assert "&lt;b&gt;F&lt;/b&gt;" in page


def test_the_notebook_is_valid_and_its_code_compiles(output: Path) -> None:
    notebook = nbformat.read(output / "report.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) == 8
    for source in code:
        compile(source, "cell", "exec")


def test_the_notebook_runs_from_top_to_bottom(output: Path) -> None:
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(output / "report.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(output)}}).execute()
    drawn = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    assert "Disparate Impact" in drawn
    assert "Class Imbalance" in drawn


def write(folder: Path, kind: str) -> dict[str, Any]:
    """PEOPLE as a file of a data set type, and what the configuration says of it."""
    features = PEOPLE.drop(columns="income").to_numpy().tolist()
    labels = PEOPLE["income"].tolist()
    if kind == "application/x-parquet":
        PEOPLE.to_parquet(folder / "data.parquet")
        return {}
    if kind == "named csv":
        PEOPLE.to_csv(folder / "data.csv", index=False)
        return {"dataset_type": "text/csv"}
    if kind == "csv by position":
        PEOPLE.to_csv(folder / "data.csv", index=False, header=False)
        return {
            "dataset_type": "text/csv",
            "label": 4,
            "joinsource_name_or_index": 0,
            "facet": [{"name_or_index": 2, "value_or_threshold": ["Female"]}],
        }
    if kind == "application/jsonlines":
        lines = [json.dumps({"f": f, "y": y}) for f, y in zip(features, labels, strict=True)]
        (folder / "data.jsonl").write_text("\n".join(lines))
        return {"features": "f", "label": "y", "headers": [*PEOPLE.columns[:4], "income"]}
    rows = [{"f": f, "y": y} for f, y in zip(features, labels, strict=True)]
    (folder / "data.json").write_text(json.dumps({"rows": rows}))
    return {"features": "rows[*].f", "label": "rows[*].y", "headers": list(PEOPLE.columns[:4])}


@pytest.mark.parametrize(
    "kind",
    ["application/x-parquet", "application/jsonlines", "application/json", "named csv", "csv by position"],
)
def test_every_format_gives_the_same_metrics(tmp_path: Path, kind: str) -> None:
    asked = config(dataset_type=kind)
    del asked["headers"]
    asked["methods"] = {"pre_training_bias": {"methods": "all"}}
    asked |= write(tmp_path, kind)
    expected = clarify.bias(PEOPLE, {"Sex": ["Female"]}, clarify.Target(PEOPLE["income"], [">50K"]))
    found = clarify.analyze(asked, tmp_path)["pre_training_bias_metrics"]["facets"]
    assert next(iter(found.values()))[0]["metrics"] == expected.facets["Sex"][0].metrics


def test_predicted_labels_may_come_from_their_own_file(tmp_path: Path) -> None:
    guess = pd.DataFrame({"id": PEOPLE["id"], "guess": PEOPLE["income"]}).sample(frac=1, random_state=1)
    guess.to_csv(tmp_path / "guess.csv", index=False)
    asked = config(predicted_label_dataset_uri=str(tmp_path / "guess.csv"), predicted_label="guess")
    asked["methods"] = {"post_training_bias": {"methods": ["AD", "TE"]}}
    found = clarify.analyze(asked, PEOPLE)["post_training_bias_metrics"]["facets"]["Sex"][0]["metrics"]
    assert [(m["name"], m["value"]) for m in found] == [("AD", 0.0), ("TE", 0.0)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"label": "incom"}, "Did you mean 'income'"),
        ({"label": 9}, "there are 5 columns"),
        ({"headers": ["a"]}, "the data set has 5 columns"),
        ({"headers": ["a", "a", "b", "c", "d"]}, "same name twice: a"),
        ({"lable": "income"}, "Did you mean 'label'"),
        ({"dataset_type": "text/tsv"}, "does not exist"),
        ({"dataset_type": "application/x-image"}, "needs methods.shap.image_config"),
        ({"time_series_data_config": {}}, "asymmetric_shapley_value is missing: explanations of time series"),
        ({"label_values_or_threshold": []}, "need label_values_or_threshold"),
        ({"facet": [{"name": "Sex"}]}, "facet has no key 'name'"),
        ({"facet": "Sex"}, "facet must be a list"),
        ({"probability_threshold": 2.0}, "between 0 and 1"),
        ({"methods": {}}, "asks for nothing"),
        (
            {"methods": {"asymmetric_shapley_value": {}}},
            "time_series_data_config is missing: explanations of time series",
        ),
        ({"methods": {"shap": {"text_config": {}}}}, "text_config lacks granularity"),
        ({"methods": {"shap": {"image_config": {}}}}, "image_config lacks model_type"),
        ({"methods": {"shap": {"num_samples": True}}}, "must be an integer"),
        ({"methods": {"shap": {"num_samples": 0}}}, "at least 1"),
        ({"methods": {"shap": {"baseline": [[1]], "num_clusters": 2}}}, "keep one of them"),
        ({"methods": {"shap": {"agg_method": "max"}}}, "mean_abs, median or mean_sq"),
        ({"methods": {"pre_training_bias": {"methods": ["XY"]}}}, "no metric 'XY'"),
        ({"methods": {"pre_training_bias": {"methods": "all"}, "report": {"name": "../x"}}}, "file name"),
        ({"predictor": {"content_type": "image/png"}}, "needs dataset_type application/x-image"),
        ({"version": "2.0"}, "only 1.0"),
    ],
)
def test_a_wrong_configuration_is_refused_by_name(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    data = tmp_path / "data.csv"
    PEOPLE.to_csv(data, index=False, header=False)
    with pytest.raises(clarify.ClarifyError, match=re.escape(says)):
        clarify.analyze({**config(), **change}, data, model)


def test_an_analysis_of_predictions_without_a_model_says_so() -> None:
    with pytest.raises(clarify.ClarifyError, match=re.escape("needs a model: set predictor.model_name")):
        clarify.analyze(config(), PEOPLE)


def test_a_label_with_gaps_is_refused() -> None:
    with pytest.raises(clarify.ClarifyError, match="missing in 1 of 60 rows"):
        clarify.analyze(config(), PEOPLE.assign(income=PEOPLE["income"].where(PEOPLE.index != 3)), model)


def test_scores_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(clarify.ClarifyError, match="no probabilities"):
        clarify.analyze(config(), PEOPLE, lambda f: f["age"])


def test_a_first_line_of_other_names_is_not_taken_for_data(tmp_path: Path) -> None:
    PEOPLE.rename(columns={"age": "Age"}).to_csv(tmp_path / "data.csv", index=False)
    with pytest.raises(clarify.ClarifyError, match="looks like names, but not those of headers: id, Age"):
        clarify.analyze(config(), tmp_path, model)


def test_gaps_in_facet_and_features_are_told_and_survived(tmp_path: Path) -> None:
    data = PEOPLE.assign(
        Sex=PEOPLE["Sex"].where(PEOPLE.index > 1), hours=PEOPLE["hours"].where(PEOPLE.index % 7 > 0)
    )
    told: list[str] = []
    clarify.analyze(config(), data, lambda f: f["hours"].fillna(0) / 100, tmp_path, told.append)
    assert "The facet 'Sex' is missing in 2 rows: they count as not in the facet." in told
    local = pd.read_csv(tmp_path / "explanations_shap/out.csv")
    assert local["hours_label0"].to_numpy() == pytest.approx(data["hours"].fillna(0).to_numpy() / 100 - 0.4)


def test_one_row_gives_values_or_reasons() -> None:
    found = clarify.analyze(config(), PEOPLE[:1].assign(income=">50K", Sex="Female"), model)
    for metric in found["pre_training_bias_metrics"]["facets"]["Sex"][0]["metrics"]:
        assert metric["value"] is None
        assert metric["error"]
