"""The processing container as a process: its files, its endpoint's life and its failures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

N = 40
PEOPLE = pd.DataFrame(
    {"age": [20 + i for i in range(N)], "Sex": ["Male", "Female"] * (N // 2), "y": [1, 0, 0, 1] * (N // 4)}
)


class SageMaker(ThreadingHTTPServer):
    """Just enough of the two SageMaker APIs for one temporary endpoint: a stranger to the code under test."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[str] = []
        self.endpoints: dict[str, int] = {}
        self.configs: dict[str, Any] = {}
        self.bodies: list[str] = []
        self.fault = ""

    def control(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.calls.append(operation)
        name = request.get("EndpointName", "")
        if operation == "CreateEndpointConfig":
            self.configs[request["EndpointConfigName"]] = request["ProductionVariants"]
            return 200, {"EndpointConfigArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/c"}
        if operation == "CreateEndpoint":
            self.endpoints[name] = 0
            return 200, {"EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"}
        if operation == "DeleteEndpointConfig":
            del self.configs[request["EndpointConfigName"]]
            return 200, {}
        if name not in self.endpoints:
            return 400, {"__type": "ValidationException", "message": f'Could not find endpoint "{name}".'}
        if operation == "DeleteEndpoint":
            del self.endpoints[name]
            return 200, {}
        self.endpoints[name] += 1
        return 200, {"EndpointName": name, **self.status(self.endpoints[name])}

    def status(self, looks: int) -> dict[str, Any]:
        if self.fault == "hang":
            return {"EndpointStatus": "Creating"}
        if self.fault == "start":
            return {"EndpointStatus": "Failed", "FailureReason": "No module named 'inference'"}
        return {"EndpointStatus": "InService" if looks > 2 else "Creating"}

    def invoke(self, body: str) -> tuple[int, str]:
        self.bodies.append(body)
        if self.fault == "model":
            return 424, json.dumps({"message": "could not convert string to float: 'Male'"})
        if self.fault == "page":
            return 200, "<html>Welcome</html>"
        rows = [line.split(",") for line in body.splitlines()]
        answers = [f"{(int(float(age)) + 10 * (sex == 'Male')) / 100}" for age, sex in rows]
        return 200, "\n".join(answers[: len(answers) - 1 if self.fault == "short" else None]) + "\n"


class Handler(BaseHTTPRequestHandler):
    server: SageMaker

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if target := self.headers.get("X-Amz-Target"):
            status, answer = self.server.control(target.split(".")[1], json.loads(body))
            self.reply(status, json.dumps(answer), "application/x-amz-json-1.1")
        else:
            self.reply(*self.server.invoke(body), "text/csv")

    def reply(self, status: int, text: str, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        if status == 424:
            self.send_header("x-amzn-ErrorType", "ModelError")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def sagemaker() -> Iterator[SageMaker]:
    server = SageMaker()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def prepare(root: Path, **more: Any) -> None:
    (root / "processing/input/config").mkdir(parents=True)
    (root / "processing/input/data").mkdir()
    PEOPLE.to_csv(root / "processing/input/data/people.csv", index=False, header=False)
    config = {
        "dataset_type": "text/csv",
        "headers": list(PEOPLE.columns),
        "label": "y",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "Sex", "value_or_threshold": ["Female"]}],
        "methods": {
            "pre_training_bias": {"methods": "all"},
            "post_training_bias": {"methods": "all"},
            "shap": {"baseline": [[30, "Male"]]},
            "report": {"name": "report", "title": "Analysis Report"},
        },
        "predictor": {"model_name": "adult", "instance_type": "ml.m5.xlarge", "initial_instance_count": 1},
        **more,
    }
    (root / "processing/input/config/analysis_config.json").write_text(json.dumps(config))


def start(root: Path, server: SageMaker) -> subprocess.Popen[str]:
    env = {
        **os.environ,
        "CLARY_ML_ROOT": str(root),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }
    command = [sys.executable, "-m", "clary.containers.clarify"]
    return subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(job: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = job.communicate(timeout=120)
    return job.returncode, out, err


def reason(root: Path, err: str) -> str:
    """Why the job failed: the same sentence in output/message and as the last line of stderr."""
    message = (root / "output/message").read_text()
    assert err.rstrip().splitlines()[-1] == message
    assert "Traceback" not in err
    return message


def test_a_job_makes_its_endpoint_asks_it_and_deletes_it(tmp_path: Path, sagemaker: SageMaker) -> None:
    prepare(tmp_path)
    code, out, err = finish(start(tmp_path, sagemaker))
    assert (code, err) == (0, "")
    found = json.loads((tmp_path / "processing/output/analysis.json").read_text())
    assert json.loads(out.partition("Collected analyses:\n")[2]) == found
    shap = found["explanations"]["kernel_shap"]["label0"]
    assert shap["expected_value"] == pytest.approx(0.4)
    assert shap["global_shap_values"]["Sex"] == pytest.approx(0.05)
    assert (tmp_path / "processing/output/report.html").exists()
    assert sagemaker.bodies[0].splitlines()[:2] == ["20,Male", "21,Female"]
    assert sagemaker.calls[:2] == ["CreateEndpointConfig", "CreateEndpoint"]
    assert (sagemaker.endpoints, sagemaker.configs) == ({}, {})


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("start", "is Failed: No module named 'inference'"),
        ("model", "could not convert string to float: 'Male'"),
        ("short", "39 predictions for 40 rows"),
        ("page", "1 predictions for 40 rows"),
    ],
)
def test_a_failing_model_is_told_and_its_endpoint_deleted(
    tmp_path: Path, sagemaker: SageMaker, fault: str, says: str
) -> None:
    sagemaker.fault = fault
    prepare(tmp_path)
    code, _, err = finish(start(tmp_path, sagemaker))
    assert code == 1
    assert says in reason(tmp_path, err)
    assert (sagemaker.endpoints, sagemaker.configs) == ({}, {})


def test_a_stopped_job_deletes_its_endpoint(tmp_path: Path, sagemaker: SageMaker) -> None:
    sagemaker.fault = "hang"
    prepare(tmp_path)
    job = start(tmp_path, sagemaker)
    deadline = time.monotonic() + 60
    while "DescribeEndpoint" not in sagemaker.calls and time.monotonic() < deadline:
        time.sleep(0.05)
    job.send_signal(signal.SIGTERM)
    code, _, err = finish(job)
    assert code == 128 + signal.SIGTERM
    assert "stopped" in reason(tmp_path, err)
    assert (sagemaker.endpoints, sagemaker.configs) == ({}, {})


def test_an_existing_endpoint_is_used_and_kept(tmp_path: Path, sagemaker: SageMaker) -> None:
    sagemaker.endpoints["mine"] = 3
    prepare(tmp_path, predictor={"endpoint_name": "mine"})
    code, _, err = finish(start(tmp_path, sagemaker))
    assert (code, err) == (0, "")
    assert list(sagemaker.endpoints) == ["mine"]


def test_a_wrong_configuration_starts_no_endpoint(tmp_path: Path, sagemaker: SageMaker) -> None:
    prepare(tmp_path, label="yy")
    code, _, err = finish(start(tmp_path, sagemaker))
    assert code == 1
    assert "Did you mean 'y'" in reason(tmp_path, err)
    assert sagemaker.calls == []


def test_a_broken_image_starts_no_endpoint(tmp_path: Path, sagemaker: SageMaker) -> None:
    prepare(tmp_path)
    (tmp_path / "processing/input/data/cat.jpg").write_text("no cat")
    config = {
        "dataset_type": "application/x-image",
        "methods": {"shap": {"image_config": {"model_type": "IMAGE_CLASSIFICATION"}}},
        "predictor": {"model_name": "cats", "instance_type": "ml.m5.xlarge", "initial_instance_count": 1},
    }
    (tmp_path / "processing/input/config/analysis_config.json").write_text(json.dumps(config))
    code, _, err = finish(start(tmp_path, sagemaker))
    assert code == 1
    assert reason(tmp_path, err).startswith("cat.jpg cannot be read as an image (no image in it)")
    assert sagemaker.calls == []
