"""Starting the demo's jobs and following them, with plain boto3 calls that would run against AWS too."""

from __future__ import annotations

import io
import json
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clary.cli.demo.data import LABEL, POSITIVE, Census
from clary.cli.demo.display import Display

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
SKLEARN_IMAGE = f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3"
XGBOOST_IMAGE = f"{REGISTRY}/sagemaker-xgboost:1.7-1"
CLARIFY_IMAGE = "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0"
SOURCE = Path(__file__).parent / "source" / "census.py"
POLL_SECONDS = 0.3
EXPLAINED_ROWS = 5_000
"""Bias is measured on the whole census; so many of its rows are explained within a few seconds."""


class DemoError(Exception):
    """A step of the demo did not come out as it should; the message says which and why."""


@dataclass(frozen=True)
class Clients:
    """boto3 clients of one Clary, and where the demo keeps its things."""

    sagemaker: Any
    runtime: Any
    s3: Any
    logs: Any
    role: str
    bucket: str
    prefix: str
    url: str
    home: str
    """What a `clary` command needs to find this Clary: ` --home X`, or nothing for the usual home."""

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{self.prefix}/{key}"

    def upload(self, path: Path, key: str) -> str:
        self.s3.upload_file(str(path), self.bucket, f"{self.prefix}/{key}")
        return self.uri(key)


def train_sklearn(clients: Clients, name: str, census: Census) -> None:
    source = _source(clients)
    hyperparameters = {
        "sagemaker_program": SOURCE.name,
        "sagemaker_submit_directory": source,
        "max-iter": 120,
    }
    clients.sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={
            "TrainingImage": SKLEARN_IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": "test:accuracy", "Regex": "test_accuracy=([0-9.]+);"},
                {"Name": "test:auc", "Regex": "test_auc=([0-9.]+);"},
            ],
        },
        HyperParameters={key: json.dumps(value) for key, value in hyperparameters.items()},
        InputDataConfig=[
            _channel("train", clients.uri("data/train.csv")),
            _channel("test", clients.uri("data/test.csv")),
        ],
        **_common(clients),
    )


def train_xgboost(clients: Clients, name: str) -> None:
    clients.sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": XGBOOST_IMAGE, "TrainingInputMode": "File"},
        HyperParameters={
            "objective": "binary:logistic",
            "num_round": "60",
            "max_depth": "5",
            "eta": "0.2",
            "eval_metric": "auc",
        },
        InputDataConfig=[
            _channel("train", clients.uri("data/xgboost/train.csv"), "text/csv"),
            _channel("validation", clients.uri("data/xgboost/test.csv"), "text/csv"),
        ],
        **_common(clients),
    )


def clarify(clients: Clients, name: str, model: str, census: Census) -> None:
    config = {
        "dataset_type": "text/csv",
        "headers": census.columns,
        "label": LABEL,
        "label_values_or_threshold": [POSITIVE],
        "facet": [{"name_or_index": "Sex", "value_or_threshold": ["Female"]}],
        "group_variable": "Marital Status",
        "probability_threshold": 0.5,
        "methods": {
            "pre_training_bias": {"methods": "all"},
            "post_training_bias": {"methods": "all"},
            "shap": {"num_rows": EXPLAINED_ROWS, "num_samples": 60, "agg_method": "mean_abs", "seed": 7},
            "report": {"name": "report", "title": "Who earns more than 50K?"},
        },
        "predictor": {
            "model_name": model,
            "instance_type": "ml.m5.large",
            "initial_instance_count": 1,
            "content_type": "text/csv",
            "accept_type": "text/csv",
        },
    }
    key = f"{clients.prefix}/{name}/analysis_config.json"
    clients.s3.put_object(Bucket=clients.bucket, Key=key, Body=json.dumps(config).encode())
    clients.sagemaker.create_processing_job(
        ProcessingJobName=name,
        AppSpecification={"ImageUri": CLARIFY_IMAGE},
        ProcessingInputs=[
            _input("analysis_config", f"s3://{clients.bucket}/{key}", "config"),
            _input("dataset", clients.uri("data/census.csv"), "data"),
        ],
        ProcessingOutputConfig={
            "Outputs": [
                {
                    "OutputName": "analysis_result",
                    "S3Output": {
                        "S3Uri": clients.uri(f"{name}/result"),
                        "LocalPath": "/opt/ml/processing/output",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        StoppingCondition={"MaxRuntimeInSeconds": 1800},
        RoleArn=clients.role,
    )


def follow(clients: Clients, kind: str, name: str, display: Display, lines: int = 12) -> dict[str, Any]:
    """Wait for a job and show its log as it comes; DemoError with its FailureReason if it fails."""
    describe = getattr(clients.sagemaker, f"describe_{kind}_job")
    member = f"{kind.capitalize()}Job"
    group, shown, token = f"/aws/sagemaker/{member}s", 0, None
    while True:
        job: dict[str, Any] = describe(**{f"{member}Name": name})
        events, token = _events(clients, group, name, token)
        for event in events:
            shown += 1
            if shown <= lines:
                display.log(event["message"].rstrip())
        status = job[f"{member}Status"]
        if status not in ("InProgress", "Stopping"):
            break
        time.sleep(POLL_SECONDS)
    if shown > lines:
        display.log(f"... {shown - lines} more lines")
    if status != "Completed":
        raise DemoError(f"{member} {name} is {status}: {job.get('FailureReason') or job.get('ExitMessage')}")
    return job


def _events(clients: Clients, group: str, name: str, token: str | None) -> tuple[list[Any], str | None]:
    try:
        found = clients.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")
    except clients.logs.exceptions.ResourceNotFoundException:
        return [], token  # nothing has been written there yet
    if not found["logStreams"]:
        return [], token
    stream = found["logStreams"][0]["logStreamName"]
    further = {"nextToken": token} if token else {}
    answer = clients.logs.get_log_events(
        logGroupName=group, logStreamName=stream, startFromHead=True, **further
    )
    return answer["events"], answer["nextForwardToken"]


def _common(clients: Clients) -> dict[str, Any]:
    return {
        "OutputDataConfig": {"S3OutputPath": clients.uri("models")},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 900},
        "RoleArn": clients.role,
    }


def _channel(name: str, uri: str, content_type: str | None = None) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    further = {"ContentType": content_type} if content_type else {}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **further}


def _input(name: str, uri: str, folder: str) -> dict[str, Any]:
    source = {
        "S3Uri": uri,
        "LocalPath": f"/opt/ml/processing/input/{folder}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {"InputName": name, "S3Input": source}


def _source(clients: Clients) -> str:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(SOURCE, SOURCE.name)
    key = f"{clients.prefix}/source/sourcedir.tar.gz"
    clients.s3.put_object(Bucket=clients.bucket, Key=key, Body=packed.getvalue())
    return f"s3://{clients.bucket}/{key}"
