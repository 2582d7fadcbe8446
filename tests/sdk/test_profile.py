"""The bare profile, AWS_PROFILE=clary and nothing else: the AWS CLI, the JavaScript SDK and boto3."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from running import Clary
from sdk.script import BIN, ROOT, SCRIPTS, Script, environment
from sdk.watching import reached, watch

NAME = "by-profile"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
LOGS = "/aws/sagemaker/TrainingJobs"


class Profile:
    """A user's shell with AWS_PROFILE=clary, in a folder of its own."""

    def __init__(self, clary: Clary, folder: Path) -> None:
        self.clary, self.folder = clary, folder
        self.records: list[Path] = []
        self.variables = environment(clary, folder) | {"AWS_PROFILE": "clary", "AWS_PAGER": ""}

    def tried(self, *command: str) -> subprocess.CompletedProcess[str]:
        self.records.append(self.folder / f"strace-{len(self.records)}.txt")
        command = (*watch(self.records[-1]), *command)
        return subprocess.run(
            command, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False
        )

    def aws(self, *arguments: str) -> str:
        done = self.tried(str(BIN / "aws"), *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.aws(*arguments, "--output", "json"))

    def file(self, name: str, content: Any) -> str:
        """A file of JSON, as the CLI takes its arguments from."""
        (self.folder / name).write_text(json.dumps(content))
        return f"file://{name}"

    def until(self, status: str, *arguments: str) -> None:
        """The CLI's own waiters look every 30 to 120 s; this spares the first pause."""
        for _ in range(100):
            if self.aws(*arguments, "--output", "text").strip() == status:
                return
            time.sleep(0.2)
        raise AssertionError(f"never {status}")


@pytest.fixture(scope="module")
def profile(watched: Clary, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return Profile(watched, tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def trained(profile: Profile, tables: Path) -> str:
    """A training job created by `aws`, completed; the URI of its model."""
    profile.aws("s3", "mb", f"s3://{NAME}")
    profile.aws("s3", "cp", str(tables / "label-first.csv"), f"s3://{NAME}/train/table.csv")
    place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{NAME}/train"}
    job = {
        "TrainingJobName": NAME,
        "RoleArn": profile.clary.role,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {"num_round": "5", "objective": "binary:logistic", "eval_metric": "auc"},
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": place}}
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{NAME}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }
    made = profile.json("sagemaker", "create-training-job", "--cli-input-json", profile.file("job.json", job))
    assert made["TrainingJobArn"].endswith(f":training-job/{NAME}")
    describe = ("sagemaker", "describe-training-job", "--training-job-name", NAME)
    profile.until("Completed", *describe, "--query", "TrainingJobStatus")
    profile.aws("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", NAME)
    return str(profile.json(*describe)["ModelArtifacts"]["S3ModelArtifacts"])


@pytest.fixture(scope="module")
def endpoint(profile: Profile, trained: str) -> Iterator[str]:
    """An endpoint made by `aws`, in service; deleted by it afterwards."""
    container = {"Image": IMAGE, "ModelDataUrl": trained}
    profile.aws(
        "sagemaker",
        "create-model",
        "--model-name",
        NAME,
        "--execution-role-arn",
        profile.clary.role,
        "--primary-container",
        profile.file("container.json", container),
    )
    shorthand = f"VariantName=all,ModelName={NAME},InitialInstanceCount=1,InstanceType=ml.m5.large"
    config = ("--endpoint-config-name", NAME)
    profile.aws("sagemaker", "create-endpoint-config", *config, "--production-variants", shorthand)
    profile.aws("sagemaker", "create-endpoint", "--endpoint-name", NAME, *config)
    status = ("--endpoint-name", NAME, "--query", "EndpointStatus")
    profile.until("InService", "sagemaker", "describe-endpoint", *status)
    profile.aws("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", NAME)
    yield NAME
    profile.aws("sagemaker", "delete-endpoint", "--endpoint-name", NAME)


def test_aws_lists_the_job_and_shows_its_log(profile: Profile, trained: str) -> None:
    assert trained == f"s3://{NAME}/out/{NAME}/output/model.tar.gz"
    rows = profile.json("sagemaker", "list-training-jobs", "--name-contains", NAME)
    assert [row["TrainingJobName"] for row in rows["TrainingJobSummaries"]] == [NAME]
    stream = profile.json(
        "logs", "describe-log-streams", "--log-group-name", LOGS, "--log-stream-name-prefix", f"{NAME}/"
    )
    place = ("--log-group-name", LOGS, "--log-stream-name", stream["logStreams"][0]["logStreamName"])
    lines = [each["message"] for each in profile.json("logs", "get-log-events", *place)["events"]]
    assert sum("train-auc" in line for line in lines) == 5
    found = profile.json("logs", "filter-log-events", *place[:2], "--log-stream-name-prefix", f"{NAME}/")
    assert sum("train-auc" in each["message"] for each in found["events"]) == 5


def test_aws_invokes_the_endpoint(profile: Profile, endpoint: str) -> None:
    (profile.folder / "row.csv").write_text("59,2,32.1,101,157,93.2,38,4,4.8598,87")
    call = ("sagemaker-runtime", "invoke-endpoint", "--endpoint-name", endpoint)
    answer = profile.json(*call, "--content-type", "text/csv", "--body", "file://row.csv", "answer.csv")
    assert answer["InvokedProductionVariant"] == "all"
    assert 0.5 < float((profile.folder / "answer.csv").read_text()) < 1


def test_aws_tells_what_is_not_there_and_what_is_not_built(profile: Profile) -> None:
    aws = str(BIN / "aws")
    done = profile.tried(aws, "sagemaker", "describe-training-job", "--training-job-name", "not-there")
    assert done.returncode != 0
    assert "(ValidationException)" in done.stderr and "Requested resource not found" in done.stderr
    done = profile.tried(aws, "sagemaker", "list-pipelines")
    assert done.returncode != 0
    assert "sagemaker:ListPipelines is not built in Clary" in done.stderr


def test_aws_reaches_clary_and_nobody_else(profile: Profile, endpoint: str) -> None:
    for record in profile.records:
        assert reached(record) == {f"127.0.0.1:{profile.clary.port}"}


def test_the_javascript_sdk(profile: Profile, endpoint: str, tmp_path: Path) -> None:
    modules = ROOT / "web" / "node_modules"
    node = shutil.which("node")
    assert node and (modules / "@aws-sdk" / "client-sagemaker").exists(), "make test installs them"
    variables = profile.variables | {"NODE_PATH": str(modules)}
    command = [node, str(SCRIPTS / "profile.cjs"), endpoint, NAME]
    script = Script.start(command, variables, tmp_path)
    told = json.loads(script.told("told"))
    assert told["account"] == profile.clary.account
    assert told["object"] == "from JavaScript"
    assert told["job"] == "Completed" and NAME in told["jobs"]
    assert 0.5 < float(told["answer"]) < 1
    assert told["errors"] == ["ValidationException", "NotImplemented"]
    assert reached(script.record) == {f"127.0.0.1:{profile.clary.port}"}


def test_boto3(profile: Profile, endpoint: str, tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPTS / "profile.py"), endpoint, NAME]
    script = Script.start(command, profile.variables, tmp_path)
    assert 0.5 < float(script.told("answer")) < 1
    assert reached(script.record) == {f"127.0.0.1:{profile.clary.port}"}
