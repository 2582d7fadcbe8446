"""Workers as real processes: what each kind of model answers over its socket, and how bad ones fail."""

from __future__ import annotations

import asyncio
import io
import json
import pickle
import signal
import tarfile
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import xgboost
from serving_worker import StartWorker, Worker
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from clary.backends.worker_http import HttpInvoker
from clary.hub import catalogue

rng = np.random.default_rng(0)
ROWS = rng.normal(size=(200, 3))
LABELS = (ROWS[:, 0] + 0.5 * ROWS[:, 1] > 0).astype(int)

SCRIPT = """
import os, joblib
def model_fn(model_dir):
    print("loading from", os.path.basename(model_dir))
    return joblib.load(os.path.join(model_dir, "weights.joblib"))
"""
OWN_FUNCTIONS = """
import json, time
def model_fn(model_dir):
    return 3
def input_fn(data, content_type):
    assert isinstance(data, str), type(data)
    return json.loads(data)["x"]
def predict_fn(x, model):
    if x == "sleep":
        time.sleep(30)
    if x == "fail":
        raise KeyError("no such review")
    return x * model
def output_fn(prediction, accept):
    return json.dumps({"y": prediction, "accept": accept}), "application/x-own"
"""


def root_with(folder: Path, code: str | None = None) -> Path:
    (folder / "model" / "code").mkdir(parents=True)
    if code is not None:
        (folder / "model" / "code" / "inference.py").write_text(code)
    return folder


def csv(rows: np.ndarray) -> str:
    return "\n".join(",".join(map(repr, map(float, row))) for row in rows)


@pytest.fixture(scope="module")
def booster_worker(tmp_path_factory: pytest.TempPathFactory, start_worker: StartWorker) -> Worker:
    root = root_with(tmp_path_factory.mktemp("xgb"))
    booster().save_model(root / "model" / "m.ubj")
    (root / "model" / "m.ubj").rename(root / "model" / "xgboost-model")
    return start_worker(root).ready()


def booster(**further: object) -> xgboost.Booster:
    matrix = xgboost.DMatrix(ROWS, LABELS)
    return xgboost.train({"objective": "binary:logistic", "nthread": 1, **further}, matrix, 5)


@pytest.fixture(scope="module")
def script_worker(tmp_path_factory: pytest.TempPathFactory, start_worker: StartWorker) -> Worker:
    root = root_with(tmp_path_factory.mktemp("script"), SCRIPT)
    joblib.dump(LogisticRegression().fit(ROWS, LABELS), root / "model" / "weights.joblib")
    return start_worker(root).ready()


@pytest.fixture(scope="module")
def own_worker(tmp_path_factory: pytest.TempPathFactory, start_worker: StartWorker) -> Worker:
    return start_worker(root_with(tmp_path_factory.mktemp("own"), OWN_FUNCTIONS)).ready()


def test_xgboost_csv_is_comma_joined(booster_worker: Worker) -> None:
    expected = booster().predict(xgboost.DMatrix(ROWS[:3]))
    reply = booster_worker.ask(csv(ROWS[:3]))
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/csv"
    np.testing.assert_allclose([float(v) for v in reply.body.split(b",")], expected, rtol=1e-6)


def test_xgboost_json_and_lines(booster_worker: Worker) -> None:
    expected = booster().predict(xgboost.DMatrix(ROWS[:2])).tolist()
    reply = booster_worker.ask(csv(ROWS[:2]), accept="application/json")
    assert json.loads(reply.body) == {"predictions": [{"score": pytest.approx(v)} for v in expected]}
    lines = booster_worker.ask(csv(ROWS[:2]), accept="application/jsonlines").body.splitlines()
    assert [json.loads(line) for line in lines] == [{"score": pytest.approx(v)} for v in expected]


def test_xgboost_libsvm_and_missing_values(booster_worker: Worker) -> None:
    sparse = booster_worker.ask(f"1 0:{ROWS[0, 0]} 2:{ROWS[0, 2]}", "text/libsvm").body
    assert sparse == booster_worker.ask(f"{ROWS[0, 0]},,{ROWS[0, 2]}").body
    expected = booster().predict(xgboost.DMatrix([[ROWS[0, 0], np.nan, ROWS[0, 2]]]))[0]
    assert float(sparse) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "words"),
    [
        ("1,2", "text/csv", "", 400, "Feature size of csv inference data 2 is not consistent"),
        ("1,2,3\n1,2", "text/csv", "", 400, "record 2 has 2 values, the first one has 3"),
        ("a,b,c", "text/csv", "", 400, "record 1, column 1: 'a' is not a number"),
        ("", "text/csv", "", 400, "CSV body is empty"),
        (b"\xff\xfe\x00", "text/csv", "", 400, "not UTF-8"),
        ("1 9:1", "text/libsvm", "", 400, "index 9 is outside the 3 features"),
        ("1 a:b", "text/libsvm", "", 400, "'a:b' is not index:value"),
        ("{}", "application/json", "", 415, "send one of text/csv, text/libsvm"),
        ("1,2,3", "text/csv", "image/png", 406, "ask for one of text/csv"),
    ],
)
def test_xgboost_refuses(
    booster_worker: Worker, body: str | bytes, content_type: str, accept: str, status: int, words: str
) -> None:
    reply = booster_worker.ask(body, content_type, accept)
    assert reply.status == status
    assert words in reply.body.decode()


def test_xgboost_multiclass_and_best_iteration(tmp_path: Path, start_worker: StartWorker) -> None:
    classes = np.digitize(ROWS[:, 0], [-0.5, 0.5])
    model = xgboost.train({"objective": "multi:softprob", "num_class": 3}, xgboost.DMatrix(ROWS, classes), 4)
    model.set_attr(best_iteration="1")
    root = root_with(tmp_path)
    model.save_model(root / "model" / "m.json")
    (root / "model" / "m.json").rename(root / "model" / "xgboost-model")
    reply = start_worker(root).ready().ask(csv(ROWS[:1]), accept="application/json")
    expected = model.predict(xgboost.DMatrix(ROWS[:1]), iteration_range=(0, 2))[0]
    assert json.loads(reply.body)["predictions"][0]["score"] == pytest.approx(expected.tolist())


def test_script_defaults(script_worker: Worker) -> None:
    model = LogisticRegression().fit(ROWS, LABELS)
    expected = model.predict(ROWS[:4].astype(np.float32)).tolist()
    assert json.loads(script_worker.ask(csv(ROWS[:4])).body) == expected
    reply = script_worker.ask(csv(ROWS[:4]), accept="text/csv")
    assert reply.body.decode().split() == [str(v) for v in expected]
    array = io.BytesIO()
    np.save(array, ROWS[:4])
    reply = script_worker.ask(array.getvalue(), "application/x-npy", "application/x-npy")
    assert np.load(io.BytesIO(reply.body)).tolist() == expected
    as_json = script_worker.ask(json.dumps(ROWS[:4].tolist()), "application/json; charset=utf-8")
    assert json.loads(as_json.body) == expected
    assert "loading from model" in script_worker.log.read_text()


def test_script_refuses(script_worker: Worker) -> None:
    assert script_worker.ask("x", "image/png").status == 415
    assert script_worker.ask("1,2,3", accept="image/png").status == 406
    assert script_worker.ask("{", "application/json").status == 400
    pickled = io.BytesIO()
    np.save(pickled, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert script_worker.ask(pickled.getvalue(), "application/x-npy").status == 400


def test_script_with_its_own_functions(own_worker: Worker) -> None:
    reply = own_worker.ask('{"x": 14}', "application/json", "text/plain")
    assert json.loads(reply.body) == {"y": 42, "accept": "text/plain"}
    assert reply.headers["content-type"] == "application/x-own"


def test_error_in_the_script_is_told_and_logged(own_worker: Worker) -> None:
    reply = own_worker.ask('{"x": "fail"}', "application/json")
    assert reply.status == 500
    assert reply.body.decode() == "KeyError: 'no such review' (inference.py, line 12)"
    log = own_worker.log.read_text()
    assert "Traceback" in log
    assert 'raise KeyError("no such review")' in log


def test_ping_answers_while_the_model_is_busy_and_a_hung_one_ends(
    tmp_path: Path, start_worker: StartWorker
) -> None:
    root = root_with(tmp_path, OWN_FUNCTIONS)
    worker = start_worker(root, SAGEMAKER_MODEL_SERVER_TIMEOUT="1").ready()

    async def busy() -> tuple[bool, int]:
        client = HttpInvoker()
        headers = {"content-type": "application/json"}
        call = asyncio.create_task(client.invoke(worker.socket, b'{"x": "sleep"}', headers, 10))
        await asyncio.sleep(0.3)
        pong = await asyncio.to_thread(client.ping, worker.socket, 0.5)
        return pong, (await call).status

    assert asyncio.run(busy()) == (True, 504)
    assert "did not answer within 1 seconds" in worker.failure()
    assert "predict_fn" in worker.log.read_text()


def test_terminated_worker_finishes_its_call(tmp_path: Path, start_worker: StartWorker) -> None:
    code = OWN_FUNCTIONS.replace("time.sleep(30)", "time.sleep(1); x = 2")
    worker = start_worker(root_with(tmp_path, code)).ready()

    async def stop_in_between() -> bytes:
        client = HttpInvoker()
        headers = {"content-type": "application/json"}
        call = asyncio.create_task(client.invoke(worker.socket, b'{"x": "sleep"}', headers, 10))
        await asyncio.sleep(0.3)
        worker.process.send_signal(signal.SIGTERM)
        return (await call).body

    assert json.loads(asyncio.run(stop_in_between()))["y"] == 6
    worker.process.wait(5)


def test_transform_fn(tmp_path: Path, start_worker: StartWorker) -> None:
    code = """
def model_fn(model_dir): return "m"
def transform_fn(model, data, content_type, accept): return f"{model} {data} {content_type}", accept
"""
    reply = start_worker(root_with(tmp_path, code)).ready().ask("a", "text/csv", "text/plain")
    assert (reply.body, reply.headers["content-type"]) == (b"m a text/csv", "text/plain")


def test_program_from_an_s3_source_archive(tmp_path: Path, start_worker: StartWorker) -> None:
    root = root_with(tmp_path)
    (root / "code").mkdir()
    (root / "code" / "helper.py").write_text("def model(): return 5\n")
    (root / "code" / "train.py").write_text(
        "import helper\ndef model_fn(d): return helper.model()\ndef predict_fn(x, m): return x * m\n"
    )
    worker = start_worker(
        root, SAGEMAKER_PROGRAM="train.py", SAGEMAKER_SUBMIT_DIRECTORY="s3://b/sourcedir.tar.gz"
    )
    assert json.loads(worker.ready().ask("1,2").body) == [[5.0, 10.0]]


def test_estimator_without_script(tmp_path: Path, start_worker: StartWorker) -> None:
    model = LogisticRegression().fit(ROWS, LABELS)
    root = root_with(tmp_path)
    joblib.dump(model, root / "model" / "model.joblib")
    worker = start_worker(root).ready()
    assert worker.ask(csv(ROWS[:2])).body.decode().split() == [str(v) for v in model.predict(ROWS[:2])]
    answer = json.loads(worker.ask(csv(ROWS[:2]), accept="application/json").body)["predictions"]
    assert answer[0]["predicted_label"] == int(model.predict(ROWS[:1])[0])
    assert answer[1]["probabilities"] == pytest.approx(model.predict_proba(ROWS[1:2])[0].tolist())
    reply = worker.ask("1,2")
    assert (reply.status, b"must have 3 values" in reply.body) == (400, True)


def test_estimator_probabilities_by_environment(tmp_path: Path, start_worker: StartWorker) -> None:
    model = LogisticRegression().fit(ROWS, LABELS)
    root = root_with(tmp_path)
    joblib.dump(model, root / "model" / "model.pkl")
    body = start_worker(root, CLARY_PREDICT="proba").ready().ask(csv(ROWS[:2])).body
    found = [[float(v) for v in line.split(b",")] for line in body.splitlines()]
    np.testing.assert_allclose(found, model.predict_proba(ROWS[:2]))


def test_estimator_trained_on_named_columns_takes_words(tmp_path: Path, start_worker: StartWorker) -> None:
    frame = pd.DataFrame({"sex": ["m", "f", "m", "f"], "age": [20, 30, 40, 50]})
    encoder = make_column_transformer((OneHotEncoder(), ["sex"]), remainder="passthrough")
    model = make_pipeline(encoder, LinearRegression()).fit(frame, [1.0, 2.0, 3.0, 4.0])
    root = root_with(tmp_path)
    joblib.dump(model, root / "model" / "model.joblib")
    worker = start_worker(root).ready()
    assert float(worker.ask("m, 25").body) == pytest.approx(1.5)
    records = json.dumps([{"age": 25, "sex": "m"}])
    answer = json.loads(worker.ask(records, "application/json", "application/json").body)
    assert answer == {"predictions": [{"score": pytest.approx(1.5)}]}
    reply = worker.ask("x,25")
    assert reply.status == 400
    assert b"Found unknown categories" in reply.body


def test_hub_text_model(tmp_path: Path, start_worker: StartWorker) -> None:
    root = root_with(tmp_path)
    with tarfile.open(catalogue.materialise("clary-tc-minilm-l6-v2-amazon-reviews")) as archive:
        archive.extractall(root / "model", filter="data")
    worker = start_worker(root).ready()
    text = "I love this banana slicer"
    reply = worker.ask(text, "application/x-text", "application/json;verbose")
    found = json.loads(reply.body)
    assert found["predicted_label"] == found["labels"][int(np.argmax(found["probabilities"]))] == "positive"
    assert worker.ask(text, "image/png").status == 415


@pytest.mark.parametrize(
    ("files", "environment", "words"),
    [
        ({}, {}, "The model archive has none of code/inference.py, xgboost-model"),
        ({"xgboost-model": b"no model"}, {}, "xgboost-model is not an XGBoost model in UBJSON or JSON"),
        ({"xgboost-model": pickle.dumps({})}, {}, "is a Python pickle, which is not loaded"),
        ({"model.joblib": b"nothing"}, {}, "model.joblib cannot be loaded"),
        ({"code/inference.py": b"x = 1"}, {}, "Please provide a model_fn implementation"),
        ({"code/inference.py": b"import no_such_module"}, {}, "(inference.py, line 1)"),
        ({"code/inference.py": b"def model_fn(d):\n  raise OSError('gone')"}, {}, "OSError: gone"),
        ({"clary-model.json": b"{}"}, {}, "is not a text model: it has no model.onnx, tokenizer.json"),
        ({}, {"SAGEMAKER_PROGRAM": "serve.py"}, "serve.py, which is not in"),
        (
            {"code/inference.py": b"model_fn = transform_fn = input_fn = print"},
            {},
            "transform_fn stands for all three",
        ),
    ],
)
def test_bad_models_say_what_is_wrong(
    tmp_path: Path,
    start_worker: StartWorker,
    files: dict[str, bytes],
    environment: dict[str, str],
    words: str,
) -> None:
    root = root_with(tmp_path)
    for name, content in files.items():
        (root / "model" / name).write_bytes(content)
    assert words in start_worker(root, **environment).failure()


def test_a_dead_kept_connection_is_replaced(tmp_path: Path, start_worker: StartWorker) -> None:
    root = root_with(tmp_path, OWN_FUNCTIONS)
    worker = start_worker(root).ready()
    body, headers = b'{"x": 2}', {"content-type": "application/json"}

    async def over_a_restart() -> tuple[int, int]:
        client = HttpInvoker()
        first = await client.invoke(worker.socket, body, headers, 10)
        worker.process.kill()
        worker.process.wait()
        await asyncio.to_thread(start_worker(root).ready)
        second = await client.invoke(worker.socket, body, headers, 10)
        await client.close()
        return first.status, second.status

    assert asyncio.run(over_a_restart()) == (200, 200)


def test_cold_start_loads_only_what_the_model_needs(tmp_path: Path, start_worker: StartWorker) -> None:
    started = time.monotonic()
    worker = start_worker(
        root_with(tmp_path, "def model_fn(d):\n  import sys\n  print(sorted(sys.modules))\n")
    )
    worker.ready()
    assert time.monotonic() - started < 10
    modules = worker.log.read_text()
    assert "'uvicorn'" in modules
    for name in ("xgboost", "sklearn", "pandas", "onnxruntime", "boto3", "sqlalchemy"):
        assert f"'{name}'" not in modules
