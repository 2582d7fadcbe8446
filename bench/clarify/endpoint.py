"""A SHAP job of 30,000 rows through an endpoint beside its model alone, asked the same in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from bench import servers
from bench.clarify import talk
from bench.table import Row
from tests.running import Clary

MOST = 1.3
"""The analysis through the endpoint takes at most so many times the model's own time."""
SETTINGS = {"num_samples": talk.SAMPLES, "agg_method": "mean_abs", "seed": 1}


def measure() -> list[Row]:
    """The model alone has one thread, as each call of the built-in XGBoost has in its endpoint."""
    with TemporaryDirectory() as folder, servers.clary(Path(folder)) as clary:
        headers = talk.prepare(clary, Path(folder))
        _deploy(clary)
        script = [sys.executable, "-m", "bench.clarify.endpoint", folder, json.dumps(headers)]
        here = {**os.environ, **clary.environment, "AWS_ENDPOINT_URL": clary.url, **_keys(clary)}
        here["OMP_NUM_THREADS"] = "1"
        try:
            done = subprocess.run(script, env=here, stdout=subprocess.PIPE, text=True, check=True)
        finally:
            _take_down(clary)  # its workers would outlive the server
    found = json.loads(done.stdout.splitlines()[-1])
    through, alone, told = found["through"], found["alone"], found["told"]
    name = f"the model alone, {found['evaluations']:,} evaluations"
    wanted = f"at most {MOST} times, progress told {told} times"
    what = "SHAP of 30,162 rows through an endpoint, XGBoost of 800 rounds"
    cores = len(os.sched_getaffinity(0))
    return [
        Row(what, through, alone, name, "s", wanted, through <= MOST * alone and told >= 5),
        Row("The same by CPU time, shared by the cores", found["cpu"] / cores, found["alone_cpu"], name, "s",
            "told for busy machines", None),
    ]  # fmt: skip


def _deploy(clary: Clary) -> None:
    sagemaker = clary.client("sagemaker")
    variant = {"VariantName": "AllTraffic", "ModelName": "census", "InstanceType": "ml.m5.xlarge"}
    sagemaker.create_endpoint_config(
        EndpointConfigName="census", ProductionVariants=[variant | {"InitialInstanceCount": 1}]
    )
    sagemaker.create_endpoint(EndpointName="census", EndpointConfigName="census")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="census", WaiterConfig={"Delay": 1})


def _take_down(clary: Clary) -> None:
    sagemaker = clary.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName="census")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="census", WaiterConfig={"Delay": 1})


def _keys(clary: Clary) -> dict[str, str]:
    found = clary.credentials()
    return {
        "AWS_ACCESS_KEY_ID": found["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": found["secret_access_key"],
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def _cpu(home: str) -> float:
    """CPU seconds so far of this process and of all that run for the server in `home`."""
    ticks = 0.0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if (
                home.encode()
                in (status.parent / "cmdline").read_bytes() + (status.parent / "environ").read_bytes()
            ):
                fields = status.read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        except OSError:
            continue  # it has ended
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass
class Alone:
    """The model in this process, and the seconds that it took to answer."""

    booster: Any
    seconds: float = 0.0
    cpu: float = 0.0
    evaluations: int = 0

    def __call__(self, features: pd.DataFrame) -> Any:
        from clary.containers.inference import booster

        rows = features.to_numpy(dtype=float)
        begin, used = time.perf_counter(), time.process_time()
        found = booster.predict(self.booster, rows)
        self.seconds += time.perf_counter() - begin
        self.cpu += time.process_time() - used
        self.evaluations += len(rows)
        return found


def _main(folder: Path, headers: list[str]) -> None:
    """Both in turn, the shorter time of two each, since the machine has other work too."""
    import boto3

    from clary import clarify
    from clary.clarify.config.analysis import parse
    from clary.containers.clarify.endpoint import Endpoint
    from clary.containers.clarify.inputs import unpack
    from clary.containers.inference import booster

    data = pd.read_csv(folder / "train.csv", header=None, names=headers)
    s3 = boto3.client("s3")
    (key,) = [o["Key"] for o in s3.list_objects_v2(Bucket=talk.BUCKET, Prefix="out/")["Contents"]]
    s3.download_file(talk.BUCKET, key, str(folder / "model.tar.gz"))
    unpack(folder / "model.tar.gz", folder / "model")
    baseline = [data.drop(columns="Target").mean().tolist()]
    config = {
        "dataset_type": "text/csv",
        "headers": headers,
        "label": "Target",
        "methods": {"shap": {**SETTINGS, "baseline": baseline}},
        "predictor": {"endpoint_name": "census"},
    }
    told: list[str] = []
    through, alone, cpu, alone_cpu = [], [], [], []
    for _ in range(2):
        model = Alone(booster.load(folder / "model" / "xgboost-model"))
        clarify.analyze(config, data, model)
        alone.append(model.seconds)
        alone_cpu.append(model.cpu)
        told.clear()
        asked = Endpoint("census", parse(config), told.append)
        begin, used = time.perf_counter(), _cpu(str(folder))
        clarify.analyze(config, data, asked, log=told.append)
        through.append(time.perf_counter() - begin)
        cpu.append(_cpu(str(folder)) - used)
    progress = sum(line.startswith("Explained ") for line in told)
    print(json.dumps({"through": min(through), "alone": min(alone), "cpu": min(cpu),
                      "alone_cpu": min(alone_cpu), "told": progress,
                      "evaluations": model.evaluations}))  # fmt: skip


if __name__ == "__main__":
    _main(Path(sys.argv[1]), json.loads(sys.argv[2]))
