"""The explainer before models of every habit: what they answer, and how much they bear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from explained_house import attributions, explained, explainer, started, with_explainer
from serving_worker import StartWorker, Worker

from clary.containers.explainer import answers, records, settings
from clary.containers.inference.invocation import Answer, ModelFault

COUNTING = """
import json, os

MOST = int(os.environ.get("MOST", "1000000"))

def model_fn(model_dir):
    return []

def input_fn(data, content_type):
    return [line.split(",") for line in data.splitlines()]

def predict_fn(rows, seen):
    if len(rows) > MOST:
        raise MemoryError(f"{len(rows)} are too many")
    seen.append(len(rows))
    print("asked", json.dumps(seen), flush=True)
    if os.environ.get("SLEEP"):
        __import__("time").sleep(float(os.environ["SLEEP"]))
    return [2 * float(row[0]) + (float(row[1]) if row[1] == row[2] else 0) for row in rows]

def output_fn(scores, accept):
    return "\\n".join(map(str, scores)), "text/csv; charset=utf-8"
"""
"""2a + b where b is also c; tells how many records it was asked."""


def asked(worker: Worker) -> list[int]:
    lines = [line for line in worker.log.read_text().splitlines() if line.startswith("asked")]
    return list(json.loads(lines[-1].removeprefix("asked ")))


def test_exact_values(start_worker: StartWorker, tmp_path: Path) -> None:
    """Three features have six coalitions: all are asked, and the baseline itself."""
    worker = started(start_worker, tmp_path, explainer("0,0,1"), COUNTING).ready()
    (found,) = explained(worker, "3,5,5\n")
    # Of the 5 that b and c bring together each has half; 2 * 3 is a's alone.
    assert attributions(found)[:, 0] == pytest.approx([6, 2.5, 2.5])
    assert asked(worker) == [1, 7]


def test_features_that_are_the_baselines_add_nothing_and_cost_nothing(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = started(start_worker, tmp_path, explainer("0,5.0,1"), COUNTING).ready()
    both = explained(worker, "3,5,5\n0,5,1\n")
    assert attributions(both[0])[:, 0] == pytest.approx([6, 0, 5])
    assert attributions(both[1])[:, 0].tolist() == [0, 0, 0]
    assert asked(worker) == [2, 3]


@pytest.mark.parametrize(
    ("inference", "environment", "calls"),
    [
        ({"MaxRecordCount": 3}, {}, [1, 3, 3, 1]),
        ({"MaxRecordCount": 1}, {"MOST": "1"}, [1, *[1] * 7]),
        ({}, {"MOST": "4"}, [1, 4, 3]),
        ({}, {"MOST": "1"}, [1, *[1] * 7]),
    ],
)
def test_as_many_records_as_the_model_bears(
    start_worker: StartWorker,
    tmp_path: Path,
    inference: dict[str, int],
    environment: dict[str, str],
    calls: list[int],
) -> None:
    worker = started(
        start_worker, tmp_path, explainer("0,0,1", inference=inference), COUNTING, **environment
    ).ready()
    (found,) = explained(worker, "3,5,5\n")
    assert attributions(found)[:, 0] == pytest.approx([6, 2.5, 2.5])
    assert asked(worker) == calls
    explained(worker, "3,5,5\n")
    assert asked(worker) == calls * 2, "what it bears is learnt once"


def test_requests_are_no_larger_than_allowed(start_worker: StartWorker, tmp_path: Path) -> None:
    config = explainer("0,0,1", inference={"MaxPayloadInMB": 1})
    worker = started(start_worker, tmp_path, config, COUNTING).ready()
    wide = "3," + "0" * 400_000 + "5,5"
    explained(worker, wide)
    # Four of the seven have the wide value: two of them fit into a megabyte.
    assert sum(asked(worker)) == 8 and len(asked(worker)) >= 3


def test_an_explanation_that_takes_too_long_ends_before_the_worker_does(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    config = explainer("0,0,1", inference={"MaxRecordCount": 1})
    worker = started(
        start_worker, tmp_path, config, COUNTING, SLEEP="0.3", SAGEMAKER_MODEL_SERVER_TIMEOUT="1"
    ).ready()
    reply = worker.ask("3,5,5\n")
    assert reply.status == 500
    assert b"takes longer than a call may" in reply.body
    assert worker.process.poll() is None


def test_no_more_samples_than_there_are_coalitions(start_worker: StartWorker, tmp_path: Path) -> None:
    config = explainer("0,0,1", NumberOfSamples=100)
    worker = started(start_worker, tmp_path, config, COUNTING).ready()
    explained(worker, "3,5,5\n")
    assert asked(worker) == [1, 7]


def test_logits(start_worker: StartWorker, tmp_path: Path) -> None:
    script = COUNTING.replace("map(str, scores)", "(str(1 / (1 + 2.718281828459045 ** -s)) for s in scores)")
    config = explainer("0,0,1", UseLogit=True)
    worker = started(start_worker, tmp_path, config, script).ready()
    assert attributions(explained(worker, "3,5,5\n")[0])[:, 0] == pytest.approx([6, 2.5, 2.5])
    plain = started(start_worker, tmp_path / "plain", config, COUNTING).ready()
    reply = plain.ask("3,5,5\n")
    assert reply.status == 500
    assert b"needs probabilities" in reply.body


def test_several_classes_of_xgboost(start_worker: StartWorker, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 4))
    label = (rows[:, 0] > 0).astype(int) + (rows[:, 1] > 0.5)
    train = {"objective": "multi:softprob", "num_class": 3}
    booster = xgboost.train(train, xgboost.DMatrix(rows, label), 10)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "xgboost-model").write_bytes(booster.save_raw("ubj"))
    config = explainer("0,0,0,0", inference={"LabelHeaders": ["low", "middle", "high"]})
    worker = with_explainer(start_worker, tmp_path, config).ready()
    reply = json.loads(worker.ask("1.5,1.5,0,-1\n-1.5,0.25,1,1\n").body)
    assert reply["label_headers"] == ["low", "middle", "high"]
    scores = booster.inplace_predict(np.array([[1.5, 1.5, 0, -1], [-1.5, 0.25, 1, 1]]))
    expected = booster.inplace_predict(np.zeros((1, 4)))[0]
    for explanation, score in zip(reply["explanations"]["kernel_shap"], scores, strict=True):
        values = attributions(explanation)
        assert values.shape == (4, 3)
        assert values.sum(axis=0) + expected == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize("kind", ["text/csv", "application/jsonlines", "application/json"])
def test_baselines_of_every_type_for_both_types_of_request(kind: str) -> None:
    text = {
        "text/csv": '1,"a, b",\n2.5,c,true',
        "application/jsonlines": '{"f":[1,"a, b",null]}\n{"f":[2.5,"c",true]}',
        "application/json": '[{"f":[1,"a, b",null]},[2.5,"c",true]]',
    }[kind]
    config = explainer(
        text,
        inference={"FeaturesAttribute": "f"},
        ShapBaselineConfig={"ShapBaseline": text, "MimeType": kind},
    )
    found = settings.of(config, text)
    assert [records.alike(row, "text/csv") for row in found.baseline] == [
        ["1", "a, b", ""],
        ["2.5", "c", "true"],
    ]
    in_json = [records.alike(row, "application/jsonlines") for row in found.baseline]
    assert in_json[0] == [1, "a, b", None]
    assert in_json[1][:2] == [2.5, "c"]


def test_cells_are_handed_on_as_they_came() -> None:
    form = records.Form("f", '{"f":$features}')
    rows = records.read('39, State-gov,"a, ""b""",007,1e3\r\n', "text/csv", form)
    assert rows == [["39", " State-gov", 'a, "b"', "007", "1e3"]]
    writer = records.writer("text/csv", form)
    assert writer.line([writer.cell(value) for value in rows[0]]) == '39, State-gov,"a, ""b""",007,1e3'
    line = '{"f":["a\u2028b",1.0,null,true]}'
    rows = records.read(line + "\n\n", "application/jsonlines", form)
    writer = records.writer("application/jsonlines", form)
    assert writer.line([writer.cell(value) for value in rows[0]]) == '{"f":["a\\u2028b", 1.0, null, true]}'
    typed = records.alike(["007", "1e3", "NaN", "-0.5", ""], "application/jsonlines")
    assert typed == ["007", 1000.0, "NaN", -0.5, None]


def test_a_baseline_may_begin_with_the_names() -> None:
    config = explainer("a,b\n1,2\n", inference={"FeatureHeaders": ["a", "b"]})
    assert settings.of(config, "a,b\n1,2\n").baseline == [["1", "2"]]


ANSWERS: list[tuple[str, str, int, dict[str, Any], list[Any]]] = [
    ("text/csv", "0.6", 1, {}, [[0.6]]),
    ("text/csv", "0.6,0.3", 2, {}, [[0.6], [0.3]]),
    ("text/csv; charset=utf-8", "0.6\n0.3\n", 2, {}, [[0.6], [0.3]]),
    ("text/csv", "0.1,0.6,0.3", 1, {}, [[0.1, 0.6, 0.3]]),
    ("text/csv", "0.1,0.6,0.3\n0.2,0.5,0.3", 2, {}, [[0.1, 0.6, 0.3], [0.2, 0.5, 0.3]]),
    ("text/csv", "1,0.6\n0,0.3", 2, {"ProbabilityIndex": 1}, [[0.6], [0.3]]),
    (
        "text/csv",
        "\"['cat','dog']\",\"[0.4,0.6]\"",
        1,
        {"ProbabilityIndex": 1, "LabelIndex": 0},
        [[0.4, 0.6]],
    ),
    (
        "application/jsonlines",
        '{"score":0.6}\n{"score":0.3}',
        2,
        {"ProbabilityAttribute": "score"},
        [[0.6], [0.3]],
    ),
    ("application/jsonlines", "[0.4,0.6]", 1, {}, [[0.4, 0.6]]),
    ("application/jsonlines", "0.4\n0.6", 2, {}, [[0.4], [0.6]]),
]
"""The container outputs of AWS's developer guide."""


@pytest.mark.parametrize(("kind", "text", "rows", "inference", "scores"), ANSWERS)
def test_what_models_answer(
    kind: str, text: str, rows: int, inference: dict[str, Any], scores: list[Any]
) -> None:
    asked = settings.of(explainer("1", inference=inference), "1").inference
    found = answers.read(Answer(text.encode(), kind), rows, asked)
    assert answers.scores(found, asked).tolist() == scores
    if "LabelIndex" in inference:
        assert answers.label_headers(found, len(scores[0]), asked) == ["cat", "dog"]


WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    ("text/csv", "0.1\n0.2\n0.3", {}, "answered 3 predictions for 2 records"),
    ("text/csv", "", {}, "answered 0 predictions for 2 records"),
    ("text/csv", "yes\nno", {}, "scores are not numbers: yes"),
    ("text/csv", "1,0.5\n0", {}, "scores are not numbers"),
    ("text/csv", "0.5\nnan", {}, "NaN or infinite scores"),
    (
        "text/csv",
        "0.5\n0.6",
        {"ProbabilityIndex": 1},
        "ProbabilityIndex is 1, but the model answers 1 columns",
    ),
    ("text/csv", "0.5\n0.6", {"LabelHeaders": ["a", "b"]}, "2 label headers, but the model has 1 outputs"),
    ("application/jsonlines", '{"p":1}\n{"p":0}', {}, "ProbabilityAttribute (JSON Lines) says where"),
    ("application/jsonlines", '{"p":1}\n{"p":0}', {"ProbabilityAttribute": "q"}, "'q' finds nothing"),
    ("application/jsonlines", "0.5\n{", {}, "is not application/jsonlines"),
    (
        "application/json",
        "[0.5,0.6]",
        {},
        "The model answers application/json, but the explainer reads text/csv",
    ),
]


@pytest.mark.parametrize(("kind", "text", "inference", "words"), WRONG)
def test_what_models_may_not_answer(kind: str, text: str, inference: dict[str, Any], words: str) -> None:
    asked = settings.of(explainer("1", inference=inference), "1").inference
    with pytest.raises(ModelFault) as caught:
        found = answers.read(Answer(text.encode(), kind), 2, asked)
        answers.label_headers(found, answers.scores(found, asked).shape[1], asked)
    assert words in str(caught.value)
