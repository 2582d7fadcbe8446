"""An explained request beside one without an explainer, and beside what the model alone takes."""

from __future__ import annotations

import asyncio
import io
import statistics
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xgboost

from bench import load, servers
from bench.clarify.talk import REGISTRY, ROUNDS, TRAINED, census
from bench.table import Row
from tests.running import Clary

PASSES, TIMES = 6, 10
BUCKET = "bench-online"
SYNTHETIC = 2 * 14 + 2048 + 1
"""Records that the model is asked for one of 14 features, with the baseline's own."""
WANTED = 2.0
TABLE = {"Content-Type": "text/csv", "Accept": "text/csv"}


def measure() -> list[Row]:
    with TemporaryDirectory() as folder, servers.clary(Path(folder)) as clary:
        lines = _deploy(clary)
        asked = [("explained", lines[:1]), ("plain", lines[:1]), ("plain", lines[:SYNTHETIC])]
        requests = [_request(clary, name, "\n".join(some)) for name, some in asked]
        explained, plain, model = asyncio.run(_interleaved(load.target(clary.url), requests))
        for name in ("explained", "plain"):
            clary.client("sagemaker").delete_endpoint(EndpointName=name)
    what = f"One record of 14 features explained (XGBoost of {ROUNDS} rounds, default samples), p50"
    return [
        Row(what, explained, plain, "the same endpoint without an explainer", "ms", "", None),
        Row(what, explained, model, f"the model alone, asked for {SYNTHETIC:,} records", "ms",
            f"at most {WANTED:g} times the model's own time", explained <= WANTED * model),
    ]  # fmt: skip


async def _interleaved(place: load.Target, requests: list[bytes]) -> list[float]:
    """Milliseconds of the median call of each."""
    found: list[list[float]] = [[] for _ in requests]
    for number in range(PASSES + 1):
        for request, times in zip(requests, found, strict=True):
            some = await load.latencies(place, request, TIMES)
            if number:
                times.extend(some)
    return [statistics.median(times) * 1000 for times in found]


def _request(clary: Clary, endpoint: str, body: str) -> bytes:
    keys = clary.credentials()
    return load.message(
        f"{clary.url}/endpoints/{endpoint}/invocations",
        body.encode(),
        TABLE,
        "sagemaker",
        (keys["access_key_id"], keys["secret_access_key"]),
    )


def _deploy(clary: Clary) -> list[str]:
    """Two endpoints of one model, explained and plain; answers the census as lines of features."""
    table = census()
    features, label = table.drop(columns="Target"), table["Target"]
    settings: dict[str, Any] = {name: value for name, value in TRAINED.items() if name != "num_round"}
    booster = xgboost.train(settings, xgboost.DMatrix(features.to_numpy(), label), ROUNDS)
    s3, sagemaker = clary.client("s3"), clary.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=_packed(bytes(booster.save_raw("ubj"))))
    image = f"{REGISTRY}/sagemaker-xgboost:1.7-1"
    container = {"Image": image, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    sagemaker.create_model(ModelName="online", ExecutionRoleArn=clary.role, PrimaryContainer=container)
    variant = {"VariantName": "v", "ModelName": "online", "InstanceType": "ml.m5.xlarge"}
    baseline = ",".join(map(str, features.mean().tolist()))
    config = {"ShapConfig": {"ShapBaselineConfig": {"ShapBaseline": baseline}, "Seed": 0}}
    for name, further in (
        ("plain", {}),
        ("explained", {"ExplainerConfig": {"ClarifyExplainerConfig": config}}),
    ):
        sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[{**variant, "InitialInstanceCount": 1}], **further
        )
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    for name in ("plain", "explained"):
        waiter = sagemaker.get_waiter("endpoint_in_service")
        waiter.wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return list(features.to_csv(index=False, header=False).splitlines())


def _packed(model: bytes) -> bytes:
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w:gz") as tar:
        member = tarfile.TarInfo("xgboost-model")
        member.size = len(model)
        tar.addfile(member, io.BytesIO(model))
    return found.getvalue()
