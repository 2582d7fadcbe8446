"""Describe and List, beside moto_server, with 10 jobs stored and with 10,000."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from bench import load, servers
from bench.job_start import IMAGE
from bench.table import Row
from tests.running import Clary, free_port

FEW, MANY = 10, 10_000
ROUNDS, SECONDS = 3, 2.0
CALLS = {
    "DescribeTrainingJob": {"TrainingJobName": "job-00003"},
    "ListTrainingJobs": {"MaxResults": 10, "SortBy": "CreationTime", "SortOrder": "Descending"},
}
"""The calls that every page and every waiter makes all the time."""

COPIES = """
WITH RECURSIVE jobs(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM jobs WHERE i + 1 < :number)
INSERT INTO records (kind, name, arn, status, principal, created, modified, body)
SELECT kind, printf('job-%05d', i), replace(arn, name, printf('job-%05d', i)), status, principal,
       created + 1000000 * i, modified + 1000000 * i, replace(body, name, printf('job-%05d', i))
FROM records, jobs WHERE kind = 'TrainingJob' AND name = 'job-00000'
"""


def measure() -> list[Row]:
    with TemporaryDirectory() as folder, servers.moto() as moto:
        _fill_moto(moto)
        few, many = (Clary(Path(folder) / str(n) / "home", free_port()) for n in (FEW, MANY))
        for server, number in ((few, FEW), (many, MANY)):
            server.home.parent.mkdir()
            server.start()
            _fill(server, number)
        try:
            return [row for name, body in CALLS.items() for row in _compare(name, body, few, many, moto)]
        finally:
            few.stop()
            many.stop()


def _compare(name: str, body: dict[str, Any], few: Clary, many: Clary, moto: str) -> list[Row]:
    places = [(few.url, _keys(few)), (many.url, _keys(many)), (moto, ("test", "test"))]
    rates: list[list[float]] = [[], [], []]
    for _ in range(ROUNDS):
        for found, (url, keys) in zip(rates, places, strict=True):
            request = _request(url, name, body, keys)
            found.append(asyncio.run(load.rate(load.target(url), request, SECONDS)))
    mine, full, theirs = (statistics.median(found) for found in rates)
    return [
        Row(f"{name}, {FEW} jobs stored", mine, theirs, "moto_server", "calls/s", "at least 1",
            mine >= theirs),
        Row(f"{name}, {MANY:,} jobs stored", full, mine, f"Clary with {FEW}", "calls/s", "at least 0.67",
            full * 1.5 >= mine),
    ]  # fmt: skip


def _request(url: str, name: str, body: dict[str, Any], keys: tuple[str, str]) -> bytes:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"SageMaker.{name}"}
    return load.message(url + "/", json.dumps(body).encode(), headers, "sagemaker", keys)


def _keys(clary: Clary) -> tuple[str, str]:
    found = clary.credentials()
    return found["access_key_id"], found["secret_access_key"]


def _job(role: str) -> dict[str, Any]:
    return {
        "RoleArn": role,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/true"],
        },
        "OutputDataConfig": {"S3OutputPath": "s3://bench/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def _fill(clary: Clary, number: int) -> None:
    """One real job, and copies of its record: what is measured is reading them."""
    sagemaker = clary.client("sagemaker")
    clary.client("s3").create_bucket(Bucket="bench")
    sagemaker.create_training_job(TrainingJobName="job-00000", **_job(clary.role))
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="job-00000", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    with closing(sqlite3.connect(clary.home / "clary.db")) as database, database:
        database.execute(COPIES, {"number": number})


def _fill_moto(url: str) -> None:
    sagemaker = boto3.client(
        "sagemaker", endpoint_url=url, region_name="us-east-1",
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip
    for i in range(FEW):
        request = _job("arn:aws:iam::123456789012:role/bench")
        sagemaker.create_training_job(TrainingJobName=f"job-{i:05}", **request)
