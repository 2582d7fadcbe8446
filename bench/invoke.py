"""InvokeEndpoint through the gateway, beside a call of the worker itself."""

from __future__ import annotations

import asyncio
import io
import statistics
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xgboost

from bench import load, servers
from bench.table import Row
from tests.running import Clary

ROUNDS, TIMES = 10, 200
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
CSV = {"Content-Type": "text/csv"}


def measure() -> list[Row]:
    with TemporaryDirectory() as folder, servers.clary(Path(folder)) as clary:
        _deploy(clary)
        (socket,) = (clary.home / "endpoints").rglob("*.sock")
        body = b",".join([b"0.5"] * 10)
        keys = clary.credentials()
        url = f"{clary.url}/endpoints/bench/invocations"
        through = load.message(
            url, body, CSV, "sagemaker", (keys["access_key_id"], keys["secret_access_key"])
        )
        itself = load.plain("http://worker/invocations", body, {**CSV, "Content-Length": str(len(body))})
        mine, theirs = asyncio.run(
            _interleaved(load.target(clary.url), through, load.Target(socket=str(socket)), itself)
        )
        _delete(clary)
    p50 = [statistics.median(found) * 1000 for found in (mine, theirs)]
    p99 = [float(np.percentile(found, 99)) * 1000 for found in (mine, theirs)]
    return [
        Row("InvokeEndpoint, p50 (XGBoost, one CSV row)", *p50, "the worker itself", "ms",
            "at most 1 ms more", p50[0] - p50[1] <= 1),
        Row("InvokeEndpoint, p99", *p99, "the worker itself", "ms",
            "at most 2 ms more", p99[0] - p99[1] <= 2),
    ]  # fmt: skip


async def _interleaved(
    gateway: load.Target, through: bytes, worker: load.Target, itself: bytes
) -> tuple[list[float], list[float]]:
    mine: list[float] = []
    theirs: list[float] = []
    await load.latencies(gateway, through, TIMES)
    for _ in range(ROUNDS):
        mine += await load.latencies(gateway, through, TIMES)
        theirs += await load.latencies(worker, itself, TIMES)
    return mine, theirs


def _deploy(clary: Clary) -> None:
    s3, sagemaker = clary.client("s3"), clary.client("sagemaker")
    s3.create_bucket(Bucket="bench")
    s3.put_object(Bucket="bench", Key="model.tar.gz", Body=_model())
    container = {"Image": IMAGE, "ModelDataUrl": "s3://bench/model.tar.gz"}
    sagemaker.create_model(ModelName="bench", ExecutionRoleArn=clary.role, PrimaryContainer=container)
    variant: dict[str, Any] = {"VariantName": "AllTraffic", "ModelName": "bench"}
    variant |= {"InitialInstanceCount": 1, "InstanceType": "ml.t2.medium"}
    sagemaker.create_endpoint_config(EndpointConfigName="bench", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="bench", EndpointConfigName="bench")
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName="bench", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def _delete(clary: Clary) -> None:
    """An endpoint outlives the server: what nobody deletes goes on serving."""
    sagemaker = clary.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName="bench")
    sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName="bench", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def _model() -> bytes:
    rng = np.random.default_rng(0)
    rows = rng.random((1000, 10))
    table = xgboost.DMatrix(rows, label=rows.sum(axis=1) > 5)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, table, num_boost_round=50)
    raw = bytes(booster.save_raw("ubj"))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("xgboost-model")
        member.size = len(raw)
        tar.addfile(member, io.BytesIO(raw))
    return packed.getvalue()
