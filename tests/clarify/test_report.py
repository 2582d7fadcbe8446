"""The report as a reader gets it: findings in words, what numbers mean here, pictures, paper, notebook."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from clary import clarify

ROWS = 400
RNG = np.random.default_rng(5)
SEX = np.array(["Female"] * 160 + ["Male"] * 240)
AGE = RNG.integers(18, 70, ROWS)
RACE = RNG.choice(["Black", "White"], ROWS)
INCOME = np.array([">50K" if i < 16 or 160 <= i < 160 + 96 else "<=50K" for i in range(ROWS)])
PEOPLE = pd.DataFrame(
    {
        "age": AGE,
        "sex": SEX,
        "race": RACE,
        "hours": np.where(np.arange(ROWS) % 10, RNG.integers(10, 60, ROWS), np.nan),
        "income": INCOME,
    }
)


def model(people: pd.DataFrame) -> Any:
    """Age matters for men only: age and sex interact."""
    return (0.1 + 0.8 * (people["sex"] == "Male") * (people["age"] > 40)).to_numpy()


def config(**methods: Any) -> dict[str, Any]:
    return {
        "dataset_type": "text/csv",
        "label": "income",
        "label_values_or_threshold": [">50K"],
        "facet": [
            {"name_or_index": "sex", "value_or_threshold": ["Female"]},
            {"name_or_index": "race", "value_or_threshold": ["Black"]},
        ],
        "group_variable": "race",
        "methods": {
            "pre_training_bias": {"methods": "all"},
            "post_training_bias": {"methods": "all"},
            "bias": {"mitigation": True},
            "shap": {"seed": 3, "baseline": [[30, "Female", "White", 40]]},
            "pdp": {"features": ["age", "sex"]},
            "report": {"name": "report", "title": "Who earns more?"},
            **methods,
        },
    }


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    clarify.analyze(config(), PEOPLE, model, folder)
    return folder


@pytest.fixture(scope="module")
def text(output: Path) -> str:
    """What a reader reads, without the markup."""
    page = (output / "report.html").read_text("utf-8").partition("</style>")[2]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def test_the_first_page_says_what_was_asked_and_found(text: str) -> None:
    first = text.partition("How the label income is spread")[0]
    assert "Do outcomes (income = >50K) differ by sex and race, in the data, and in what the model" in first
    assert "The positive label is 30.0 percentage points less frequent in Female than in Male." in first
    assert "Of 160 rows of Female, 16 have income = >50K; of 240 of Male, 96." in first
    assert "With 48 more such labels in Female the shares would be equal." in first
    assert "Clear: 95 % interval +22." in first
    assert "The score rests most on" in first
    assert "sex itself is number" in first


def test_the_data_is_described(text: str) -> None:
    assert "<=50K 288 · 72.0 %" in text
    assert ">50K positive 112 · 28.0 %" in text
    assert "1 of 5 columns have missing values, hours the most: 10.0 %." in text
    assert "hours feature number" in text
    assert "40 (10.0 %)" in text


@pytest.mark.parametrize(
    "says",
    [
        "160 of 400 rows are Female: for each of them 1.5 are not.",
        "48 of the 160 rows of Female would need another label to have the shares of Male.",
        "The model gives income = >50K to 0 of 160 of Female",
        "0.0 % of Female against",
        "Rows with income = >50K that the model finds: 0 of 16 (0.0 %) of Female,",
        "when rows are compared within each value of race",
        "from \N{MINUS SIGN}1 to 1, 0 is no disparity",
    ],
)
def test_each_number_is_told_for_this_facet_and_label(text: str, says: str) -> None:
    assert says in text


def test_the_partner_of_a_feature_is_found(text: str) -> None:
    assert "Colour: sex, which explains" in text
    assert "Efficiency: for every row the baseline's score and the SHAP values add up" in text
    assert "the values are exact" in text


def test_single_rows_go_from_the_baseline_to_their_score(text: str) -> None:
    for why in ("The highest score", "A median score", "The lowest score"):
        assert why in text
    assert "0.1 → 0.9" in text


def test_the_pdf_is_written_beside_the_page(output: Path) -> None:
    content = (output / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) > 3 or b"/ObjStm" in content


def test_without_typst_the_log_says_so_and_the_rest_is_written(tmp_path: Path) -> None:
    (tmp_path / "typst.py").write_text("raise ImportError('not installed')")
    PEOPLE.to_csv(tmp_path / "people.csv", index=False)
    asked = config()
    asked["methods"] = {
        "pre_training_bias": {"methods": "all"},
        "report": {"name": "report", "title": "Data alone"},
    }
    (tmp_path / "config.json").write_text(json.dumps(asked))
    command = [sys.executable, "-m", "clary.cli", "clarify", "config.json"]
    command += ["--data", "people.csv", "--output", "out"]
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "pip install 'clary[pdf]'" in done.stdout
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"analysis.json", "report.html", "report.ipynb"}


def test_the_notebook_redraws_every_part(output: Path) -> None:
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(output / "report.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(output)}}).execute()
    drawn = " ".join(
        found["data"].get("text/html", "")
        for cell in notebook.cells
        for found in cell.get("outputs", [])
        if "data" in found
    )
    for part in (
        "Class Imbalance",
        "Disparate Impact",
        "Female &amp; Black",
        "Reweighing sex",
        "Thresholds sex",
    ):
        assert part in drawn
    for part in ("label0: the baseline scores 0.1", "Every row's values", "Row 1, label0", "age: mean score"):
        assert part.replace("'", "&#x27;") in drawn or part in drawn


@pytest.mark.parametrize(
    ("name", "value"),
    [("#let x = [*b*]", "$y$ @z"), ("<b>&", "</script>"), ("\\ \"quotes\" 'here'", "日本")],
)
def test_names_are_never_read_as_markup(tmp_path: Path, name: str, value: str) -> None:
    data = PEOPLE.rename(columns={"race": name}).replace({name: {"Black": value}})
    asked = config(pdp={"features": ["age", name]})
    asked["facet"][1] = {"name_or_index": name, "value_or_threshold": [value]}
    asked["group_variable"] = name
    asked["methods"]["shap"] = {"seed": 3}
    clarify.analyze(asked, data, model, tmp_path)
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "</script>" not in (tmp_path / "report.html").read_text("utf-8")


def test_rows_that_are_only_counted_still_show_the_labels(tmp_path: Path) -> None:
    rows = 1_100_000
    table = pd.DataFrame({"sex": np.arange(rows) % 2, "y": np.arange(rows) % 4 == 0})
    table.to_parquet(tmp_path / "data.parquet")
    asked = {
        "dataset_type": "application/x-parquet",
        "label": "y",
        "label_values_or_threshold": ["True"],
        "facet": [{"name_or_index": "sex", "value_or_threshold": [1]}],
        "methods": {"pre_training_bias": {"methods": ["CI"]}, "report": {"name": "report"}},
    }
    clarify.analyze(asked, tmp_path / "data.parquet", output_dir=tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text("utf-8")
    assert "275,000 · 25.0\N{NO-BREAK SPACE}%" in page
    assert "columns are not described" in page


def test_a_report_of_many_rows_stays_small(tmp_path: Path) -> None:
    many = pd.concat([PEOPLE] * 75, ignore_index=True)
    clarify.analyze(config(), many, model, tmp_path)
    assert (tmp_path / "report.html").stat().st_size < 1_500_000
