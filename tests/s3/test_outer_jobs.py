"""Jobs whose data lies in an outer S3: from the input to the model, also over its absence."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from running import Clary, free_port
from seaweedfs import KEY, SECRET, SeaweedFS

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
SCRIPT = """
import os, pathlib, time
secret = "BACKWARDS"[::-1].encode()
data = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"])
total = sum(len(file.read_bytes()) for file in data.rglob("*") if file.is_file())
seen = [*pathlib.Path("/proc").glob("[0-9]*/cmdline"), *pathlib.Path("/proc").glob("[0-9]*/environ")]
seen += [file for file in pathlib.Path("/opt/ml").rglob("*") if file.is_file()]
told = [str(file) for file in seen if secret in file.read_bytes()]
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text(f"{total} {told}")
print("read", total, flush=True)
time.sleep(PAUSE)
"""


@pytest.fixture
def outer(tmp_path: Path) -> Iterator[SeaweedFS]:
    made = SeaweedFS(tmp_path / "weed")
    made.start()
    yield made
    made.kill()


@pytest.fixture
def house(tmp_path: Path, outer: SeaweedFS) -> Iterator[Clary]:
    server = Clary(tmp_path / "home", free_port(), ("--objects", outer.url()))
    server.start()
    server.client("s3").create_bucket(Bucket="data")
    yield server
    server.stop()


def packed(text: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        member = tarfile.TarInfo("train.py")
        member.size = len(text.encode())
        tar.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


def train(house: Clary, name: str, pause: float = 0, mode: str = "File") -> None:
    s3 = house.client("s3")
    script = SCRIPT.replace("BACKWARDS", SECRET[::-1]).replace("PAUSE", str(pause))
    s3.put_object(Bucket="data", Key="source.tar.gz", Body=packed(script))
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://data/train/"}
    house.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=house.role,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": mode},
        HyperParameters={
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": "s3://data/source.tar.gz",
        },
        InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": "s3://data/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )


def until(house: Clary, name: str, *wanted: str) -> dict[str, Any]:
    """Described, when its status or its last message begins with one of these."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = house.client("sagemaker").describe_training_job(TrainingJobName=name)
        message = found["SecondaryStatusTransitions"][-1]["StatusMessage"]
        if found["TrainingJobStatus"] in wanted or message.startswith(wanted):
            return dict(found)
        time.sleep(0.1)
    raise AssertionError(f"{found}\n{house.log()}")


def model(house: Clary, found: dict[str, Any]) -> str:
    bucket, _, key = found["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    body = house.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        content = tar.extractfile("model.txt")
        assert content is not None
        return content.read().decode()


def test_training_over_an_absence(outer: SeaweedFS, house: Clary) -> None:
    """The S3 goes while the job runs: the model waits for it, and a job that begins waits for its data."""
    s3 = house.client("s3")
    for number in range(3):
        s3.put_object(Bucket="data", Key=f"train/{number}/part.csv", Body=b"x" * 9_000_000)
    train(house, "first", mode="FastFile")
    assert model(house, until(house, "first", "Completed", "Failed")) == "27000000 []"
    train(house, "second", pause=2)
    until(house, "second", "Training in progress", "Failed")
    outer.kill()
    found = until(house, "second", "Waiting for the objects", "Completed", "Failed")
    assert found["SecondaryStatus"] == "Uploading"
    message = found["SecondaryStatusTransitions"][-1]["StatusMessage"]
    assert outer.endpoint in message and KEY not in message and SECRET not in message
    house.kill()
    outer.start()
    house.start()
    assert model(house, until(house, "second", "Completed", "Failed")) == "27000000 []"
