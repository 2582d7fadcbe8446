"""An analysis of text from its configuration: files, report, notebook, command line, a real model."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import joblib
import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from clary import clarify
from clary.clarify import ClarifyError
from clary.clarify.config.analysis import parse
from clary.containers.clarify.payload import Codec
from clary.hub import catalogue, datasets, packages, textmodel

TOKENS = {"granularity": "token", "language": "english"}
SAID = [
    'I love it, "really", <b>truly</b>',
    "It broke after two days",
    "",
    "Costs a $record and ${text}\nbut works",
    "great",
    "not great at all 👍",
]
REVIEWS = pd.DataFrame({"id": range(6), "text": SAID, "stars": [5, 1, 3, 4, 5, 2], "shop": list("ababab")})

SCRIPT = """
import io, joblib, os, pandas
def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
def input_fn(body, content_type):
    text = body if isinstance(body, str) else body.decode()
    return pandas.read_csv(io.StringIO(text), names=["text", "stars"], keep_default_na=False)
def predict_fn(rows, model):
    return model.predict_proba(rows)
"""


def config(**shap: Any) -> dict[str, Any]:
    return {
        "dataset_type": "text/csv",
        "headers": list(REVIEWS.columns),
        "joinsource_name_or_index": "id",
        "methods": {"shap": {"text_config": TOKENS, "seed": 1, **shap}, "report": {"name": "said"}},
        "predictor": {},
    }


def length(frame: pd.DataFrame) -> Any:
    return frame["text"].str.len().to_numpy(dtype=float) + 10 * frame["stars"].to_numpy(dtype=float)


def test_the_files_of_an_analysis(tmp_path: Path) -> None:
    asked = config(save_local_shap_values=True)
    asked["methods"]["pdp"] = {"grid_resolution": 4, "top_k_features": 1}
    found = clarify.analyze(asked, REVIEWS, length, tmp_path)
    shap = found["explanations"]["kernel_shap"]["label0"]
    assert list(shap["global_shap_values"]) == ["text", "stars", "shop"]
    assert shap["global_top_shap_text"]["text"]["broke"] > 0
    assert found["explanations"]["pdp"][0]["feature_name"] == "stars"
    lines = (tmp_path / "explanations_shap/out.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["join_source_value"] for record in records] == list(range(6))
    for record, score in zip(records, length(REVIEWS), strict=True):
        effects = [a["attribution"][0] for e in record["explanations"] for a in e["attributions"]]
        assert record["expected_value"][0] + sum(effects) == pytest.approx(score)
    assert pd.read_csv(tmp_path / "explanations_shap/baseline.csv", keep_default_na=False)[
        "text"
    ].tolist() == [""]
    assert json.loads((tmp_path / "analysis.json").read_text("utf-8")) == json.loads(json.dumps(found))


def test_without_local_values_there_are_no_lines(tmp_path: Path) -> None:
    clarify.analyze(config(save_local_shap_values=False), REVIEWS, length, tmp_path)
    assert [path.name for path in (tmp_path / "explanations_shap").iterdir()] == ["baseline.csv"]


def test_the_report_escapes_what_people_wrote_and_the_notebook_runs(tmp_path: Path) -> None:
    clarify.analyze(config(), REVIEWS, length, tmp_path)
    page = (tmp_path / "said.html").read_text("utf-8")
    assert "Which words move the score" in page and "<b>truly" not in page
    assert ">love</mark>" in page and ">&lt;</mark>" in page
    notebook = nbformat.read(tmp_path / "said.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert "strongest in text" in str(notebook["cells"])


def test_the_command_explains_a_pipeline_that_reads_text_and_numbers(tmp_path: Path) -> None:
    """A scikit-learn pipeline in an archive, a CSV file with commas, quotes and line breaks."""
    parts = make_column_transformer((TfidfVectorizer(), "text"), ("passthrough", ["stars"]))
    model = make_pipeline(parts, LogisticRegression()).fit(REVIEWS[["text", "stars"]], [1, 0, 0, 1, 1, 0])
    joblib.dump(model, tmp_path / "model.joblib")
    (tmp_path / "inference.py").write_text(SCRIPT)
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "model.joblib", "model.joblib")
        tar.add(tmp_path / "inference.py", "code/inference.py")
    data = REVIEWS[["text", "stars"]]
    data.to_csv(tmp_path / "data.csv", index=False)
    asked = {
        "dataset_type": "text/csv",
        "headers": ["text", "stars"],
        "methods": {"shap": {"text_config": {**TOKENS, "columns": ["text"]}, "baseline": [["", 3]]}},
    }
    (tmp_path / "config.json").write_text(json.dumps(asked))
    command = [sys.executable, "-m", "clary.cli", "clarify", str(tmp_path / "config.json")]
    command += ["--data", str(tmp_path / "data.csv"), "--model", str(tmp_path / "model.tar.gz")]
    done = subprocess.run(
        [*command, "--output", str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    records = [
        json.loads(line) for line in (tmp_path / "out/explanations_shap/out.jsonl").open(encoding="utf-8")
    ]
    chance = model.predict_proba(data)
    assert np.array([record["score"][-1] for record in records]) == pytest.approx(chance[:, 1], abs=1e-6)
    for record in records:
        effects = [a["attribution"][-1] for e in record["explanations"] for a in e["attributions"]]
        assert record["expected_value"][-1] + sum(effects) == pytest.approx(record["score"][-1])


def test_a_transformer_that_reads_real_reviews(tmp_path: Path) -> None:
    """The hub's MiniLM in this process: what speaks for the label and what against it."""
    with tarfile.open(catalogue.materialise("clary-tc-minilm-l6-v2-amazon-reviews")) as archive:
        archive.extractall(tmp_path, filter="data")
    model = textmodel.load(tmp_path, 1)
    rated = [review.text for review in datasets.amazon_reviews(packages.default_cache())]
    wonderful = next(text for text in rated if text.startswith("amazon was wonderful"))
    rows = pd.DataFrame({"text": [wonderful, "I love this banana slicer", "very easy to use."]})
    settings = clarify.Shap(text_config=clarify.TextConfig("token", "en"), num_samples=60, seed=0)
    found = clarify.explain_text(rows, lambda f: model.predict(f["text"].tolist()), settings, ["no", "yes"])
    top = {text: values[0, 1] for text, values in found.occurrences("text").items()}
    assert top["wonderful"] > 0.1 and top["love"] > 0.1 and top["easy"] > 0
    assert found.values[:, 0] == pytest.approx(-found.values[:, 1], abs=1e-5)
    assert found.efficiency_gap < 1e-6


def test_placeholders_in_a_text_are_text() -> None:
    rows = pd.DataFrame({"text": SAID})
    ways = {
        "application/jsonlines": {"content_template": '{"inputs": $features}'},
        "application/json": {"content_template": '{"inputs": $records}', "record_template": '"${text}"'},
    }
    for kind, templates in ways.items():
        predictor = {"endpoint_name": "e", "content_type": kind, **templates}
        body = Codec.of(parse({**config(), "predictor": predictor})).encode(rows).decode()
        if kind == "application/json":
            assert json.loads(body) == {"inputs": SAID}
        else:
            assert [json.loads(line)["inputs"][0] for line in body.splitlines()] == SAID


@pytest.mark.parametrize(
    ("text_config", "says"),
    [
        ({"granularity": "token"}, "lacks language"),
        ({**TOKENS, "language": "elvish"}, "text_config.language"),
        ({**TOKENS, "granularity": "phrase"}, "granularities are"),
        ({**TOKENS, "tokens": 3}, "has no key 'tokens'"),
        ({**TOKENS, "max_top_tokens": 0}, "at least 1"),
        ({**TOKENS, "columns": []}, "list of column names"),
        ({**TOKENS, "columns": ["txt"]}, "Did you mean 'text'"),
    ],
)
def test_a_wrong_setting_is_named(text_config: dict[str, Any], says: str) -> None:
    with pytest.raises(ClarifyError, match=says):
        clarify.analyze(config(text_config=text_config), REVIEWS, length)


def test_partial_dependence_on_text_is_refused() -> None:
    asked = config()
    asked["methods"]["pdp"] = {"grid_resolution": 4, "features": ["text"]}
    with pytest.raises(ClarifyError, match="'text' is text"):
        clarify.analyze(asked, REVIEWS, length)
