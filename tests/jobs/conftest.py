"""What a user needs to run jobs: a bucket, sources packed as the SDK packs them, waiting for the end."""

from __future__ import annotations

import io
import tarfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
TRAINING_LOGS = "/aws/sagemaker/TrainingJobs"
PROCESSING_LOGS = "/aws/sagemaker/ProcessingJobs"
ENDS = ("Completed", "Failed", "Stopped")


def archive(files: Mapping[str, str | bytes]) -> bytes:
    """A tar.gz as the SDK makes it of a source directory."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def wait(look: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true answer of `look`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"nothing after {seconds} s")


@dataclass
class Jobs:
    """A user with a bucket of their own."""

    clary: Any
    bucket: str

    def __post_init__(self) -> None:
        self.s3, self.sagemaker = self.clary.client("s3"), self.clary.client("sagemaker")
        self.logs = self.clary.client("logs")

    def put(self, key: str, content: str | bytes) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        return f"s3://{self.bucket}/{key}"

    def channel(self, name: str, uri: str, **further: Any) -> dict[str, Any]:
        place = {"S3DataType": "S3Prefix", "S3Uri": uri}
        return {"ChannelName": name, "DataSource": {"S3DataSource": place}, **further}

    def request(self, image: str = SKLEARN, seconds: int = 120, **further: Any) -> dict[str, Any]:
        algorithm = {"TrainingImage": image, "TrainingInputMode": "File", **further.pop("algorithm", {})}
        return {
            "TrainingJobName": f"job-{uuid.uuid4().hex[:12]}",
            "RoleArn": self.clary.role,
            "AlgorithmSpecification": algorithm,
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
            **further,
        }

    def script(
        self, text: str, files: Mapping[str, str | bytes] | None = None, **further: Any
    ) -> dict[str, Any]:
        """A request in script mode, as the SDK's SKLearn estimator makes it."""
        source = self.put(
            f"source/{uuid.uuid4().hex}/sourcedir.tar.gz", archive({"train.py": text, **(files or {})})
        )
        given = {
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": f'"{source}"',
            **further.pop("hyperparameters", {}),
        }
        return self.request(HyperParameters=given, **further)

    def train(self, request: dict[str, Any]) -> str:
        self.sagemaker.create_training_job(**request)
        return str(request["TrainingJobName"])

    def describe(self, name: str) -> dict[str, Any]:
        return dict(self.sagemaker.describe_training_job(TrainingJobName=name))

    def end(self, name: str, seconds: float = 60) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self.describe(name)
            return found if found["TrainingJobStatus"] in ENDS else None

        return dict(wait(look, seconds))

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.end(self.train(request))

    def log(self, name: str, group: str = TRAINING_LOGS) -> list[str]:
        streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")
        if not streams["logStreams"]:
            return []
        stream = streams["logStreams"][0]["logStreamName"]
        events = self.logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
        return [event["message"] for event in events["events"]]

    def logged(self, name: str, words: str, group: str = TRAINING_LOGS) -> None:
        """Wait for a line of a job's log."""

        def look() -> bool:
            try:
                return any(words in line for line in self.log(name, group))
            except self.logs.exceptions.ResourceNotFoundException:
                return False

        wait(look)

    def unpacked(self, uri: str) -> dict[str, bytes]:
        """The files of an archive in S3."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        data = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            return {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}  # type: ignore[union-attr]


def jobs_of(clary: Any) -> Jobs:
    bucket = f"jobs-{uuid.uuid4().hex[:12]}"
    clary.client("s3").create_bucket(Bucket=bucket)
    return Jobs(clary, bucket)


@pytest.fixture(scope="module")
def jobs(clary: Any) -> Jobs:
    return jobs_of(clary)


@pytest.fixture
def own_jobs(own_clary: Any) -> Jobs:
    """On a Clary that the test may kill."""
    return jobs_of(own_clary)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"
