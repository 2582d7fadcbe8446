"""Texts explained online: by their words, sentences and paragraphs, beside other features."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from explained_house import SEED, attributions, explained, explainer, started, with_explainer
from serving_worker import StartWorker

from clary import clarify
from clary.hub import catalogue

GOOD = """
import csv, io, json

def model_fn(model_dir):
    return None

def input_fn(data, content_type):
    if content_type == "application/jsonlines":
        return [json.loads(line)["features"] for line in data.splitlines()]
    return list(csv.reader(io.StringIO(data)))

def predict_fn(rows, model):
    return [2 * text.count("good") - text.count("bad") + 0.5 * float(stars) for text, stars in rows]

def output_fn(scores, accept):
    return "".join(f"{score}\\n" for score in scores), accept
"""
"""Adds up, so that everyone's Shapley value is known: 2 a `good`, -1 a `bad`, half of the stars."""


def texts(
    granularity: str, *, types: list[str] | None = None, baseline: str = '"<MASK>",3', **shap: Any
) -> Any:
    inference: dict[str, Any] = {"FeaturesAttribute": "features", "ContentTemplate": '{"features":$features}'}
    if types is not None:
        inference["FeatureTypes"] = types
    config = {"Granularity": granularity, "Language": "en"}
    return explainer(baseline, inference=inference, TextConfig=config, NumberOfSamples=200, **shap)


def effects(feature: dict[str, Any]) -> list[tuple[str, int, float]]:
    return [
        (
            each["description"]["partial_text"],
            each["description"]["start_idx"],
            round(each["attribution"][0], 6),
        )
        for each in feature["attributions"]
    ]


@pytest.mark.parametrize("types", [["text", "numerical"], None])
def test_words_beside_a_number(start_worker: StartWorker, tmp_path: Path, types: list[str] | None) -> None:
    worker = started(start_worker, tmp_path, texts("token", types=types), GOOD).ready()
    (text, stars), (blank, same) = explained(worker, '"A good, ""bad"" slicer",5\n" ",3\n')
    assert effects(text)[:4] == [("A", 0, 0), ("good", 2, 2), (",", 6, 0), ('"', 8, 0)]
    assert ("bad", 9, -1) in effects(text)
    assert text["feature_type"] == "text"
    assert stars == {"attributions": [{"attribution": [pytest.approx(1)]}], "feature_type": "numerical"}
    assert blank == {"attributions": [], "feature_type": "text"}
    assert attributions([same]).tolist() == [[0]]


def test_values_are_the_librarys(start_worker: StartWorker, tmp_path: Path) -> None:
    """A model of more than sums, and fewer samples than there are coalitions."""
    script = GOOD.replace("2 * text.count", "len(text) % 7 * text.count")
    worker = started(start_worker, tmp_path, texts("token"), script).ready()
    said = "It is a good and not so bad slicer for a good price"
    (record,) = explained(worker, f'"{said}",5\n')

    def model(frame: pd.DataFrame) -> Any:
        counts = zip(frame["said"], frame["stars"], strict=True)
        return np.array(
            [len(t) % 7 * t.count("good") - t.count("bad") + 0.5 * float(stars) for t, stars in counts]
        )

    same = clarify.explain_text(
        pd.DataFrame({"said": [said], "stars": [5]}),
        model,
        clarify.Shap(
            baseline=[["<MASK>", 3]],
            num_samples=200,
            seed=SEED,
            text_config=clarify.TextConfig("token", "en", columns=("said",)),
        ),
    )
    assert attributions(record)[:, 0] == pytest.approx(same.values[:, 0])


@pytest.mark.parametrize(
    ("granularity", "units"),
    [
        ("sentence", [("It is good.", 0, 2.0), ("Is it not bad?", 12, -1.0), ("good good", 27, 4.0)]),
        ("paragraph", [("It is good. Is it not bad?", 0, 1.0), ("good good", 27, 4.0)]),
    ],
)
def test_sentences_and_paragraphs_of_json_lines(
    start_worker: StartWorker, tmp_path: Path, granularity: str, units: list[Any]
) -> None:
    worker = started(start_worker, tmp_path, texts(granularity), GOOD).ready()
    body = json.dumps({"features": ["It is good. Is it not bad?\ngood good", 4]})
    (record,) = explained(worker, body, content_type="application/jsonlines")
    assert effects(record[0]) == units
    assert attributions([record[1]])[0, 0] == pytest.approx(0.5)


def test_several_baseline_records(start_worker: StartWorker, tmp_path: Path) -> None:
    """Against `good` a good word adds nothing and any other takes 2 away; against nothing as before."""
    config = texts("token", baseline='"good",3\n"",1')
    worker = started(start_worker, tmp_path, config, GOOD).ready()
    (record,) = explained(worker, '"good slicer",3\n')
    assert effects(record[0]) == [("good", 0, 1.0), ("slicer", 5, -1.0)]
    assert attributions([record[1]])[0, 0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (texts("token", types=["text"]), "FeatureTypes has 1 types"),
        (texts("token", baseline="1,3"), "every feature of the SHAP baseline is a number"),
    ],
)
def test_what_does_not_fit_the_text(
    start_worker: StartWorker, tmp_path: Path, config: dict[str, Any], words: str
) -> None:
    assert words in started(start_worker, tmp_path, config, GOOD).failure()


def test_the_hubs_model_of_reviews(start_worker: StartWorker, tmp_path: Path) -> None:
    """As in AWS's guide: a text a record, in CSV, a hundred samples."""
    with tarfile.open(catalogue.materialise("clary-tc-minilm-l6-v2-amazon-reviews")) as archive:
        archive.extractall(tmp_path / "model", filter="data")
    config = explainer(
        '"[MASK]"',
        inference={"FeatureTypes": ["text"], "MaxRecordCount": 100},
        TextConfig={"Granularity": "token", "Language": "en"},
        NumberOfSamples=100,
    )
    worker = with_explainer(start_worker, tmp_path, config).ready()
    reply = worker.ask('"I love this banana slicer"\n', accept="text/csv")
    found = json.loads(reply.body)
    (feature,) = found["explanations"]["kernel_shap"][0]
    scores = [float(each) for each in found["predictions"]["data"].split(",")]
    values = attributions([feature])
    assert values.shape == (5, len(scores))
    positive = values[:, scores.index(max(scores))]
    words = [each["description"]["partial_text"] for each in feature["attributions"]]
    assert words[positive.argmax()] == "love"
    masked = json.loads(worker.ask('"[MASK] [MASK] [MASK] [MASK] [MASK]"\n', accept="text/csv").body)
    nothing = [float(each) for each in masked["predictions"]["data"].split(",")]
    assert values.sum(axis=0) + nothing == pytest.approx(scores)
