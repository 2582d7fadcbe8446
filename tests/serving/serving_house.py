"""What the endpoint tests do again and again, by boto3."""

from __future__ import annotations

import io
import os
import signal
import tarfile
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
BUCKET = "serving-tests"

TIMES = """
import os, time
FACTOR = {factor}
def model_fn(model_dir):
    return FACTOR
def predict_fn(rows, model):
    if rows[0][0] == 8:
        raise KeyError("no such review")
    if rows[0][0] == 9:
        os._exit(3)
    return rows * model
"""


def archive(files: dict[str, str | bytes]) -> bytes:
    """A model.tar.gz."""
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w:gz") as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return found.getvalue()


class Serving:
    """A Clary's serving side."""

    def __init__(self, clary: Any) -> None:
        self.clary = clary
        self.sagemaker = clary.client("sagemaker")
        self.runtime = clary.client("sagemaker-runtime", retries=0)
        self.s3 = clary.client("s3")
        self.s3.create_bucket(Bucket=BUCKET)

    def model(self, name: str, data: bytes, **environment: str) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=data)
        container = {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/{name}/model.tar.gz"}
        self.sagemaker.create_model(
            ModelName=name,
            PrimaryContainer=container | ({"Environment": environment} if environment else {}),
            ExecutionRoleArn=self.clary.role,
        )

    def times(self, name: str, factor: int) -> None:
        """A model that multiplies."""
        self.model(name, archive({"code/inference.py": TIMES.format(factor=factor)}))

    def config(self, name: str, *variants: dict[str, Any]) -> None:
        fixed = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[{**fixed, **variant} for variant in variants]
        )

    def deploy(self, name: str, **variant: Any) -> None:
        """One model of the endpoint's name, in service."""
        self.config(name, {"VariantName": "AllTraffic", "ModelName": name, **variant})
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        found = self.settled(name)
        assert found["EndpointStatus"] == "InService", found

    def settled(self, name: str, seconds: float = 60) -> dict[str, Any]:
        """Describe's answer when the endpoint is neither being created nor updated."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.sagemaker.describe_endpoint(EndpointName=name)
            if found["EndpointStatus"] in ("InService", "Failed"):
                return dict(found)
            time.sleep(0.05)
        raise AssertionError(f"never settled: {found}")

    def ask(self, name: str, body: str | bytes = "1,2", **further: Any) -> str:
        found = self.runtime.invoke_endpoint(
            EndpointName=name, **{"ContentType": "text/csv", **further}, Body=body
        )
        return str(found["Body"].read().decode())

    def delete(self, name: str) -> None:
        """And wait until it is gone."""
        self.sagemaker.delete_endpoint(EndpointName=name)
        for _ in range(1000):
            try:
                self.sagemaker.describe_endpoint(EndpointName=name)
            except ClientError:
                assert worker_pids(name) == []
                return
            time.sleep(0.02)
        raise AssertionError("never deleted")


def worker_pids(endpoint: str) -> list[int]:
    """The Python processes of an endpoint's workers."""
    mark = f"CLARY_PROGRAM=Endpoint/{endpoint}/".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            own = b"clary.containers.inference" in command and b"bwrap" not in command
            if own and mark in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def kill_workers(endpoint: str) -> list[int]:
    found = worker_pids(endpoint)
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    return found
