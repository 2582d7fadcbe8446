"""Killed at any line of a job's or an endpoint's steps: the next server goes on, and nothing is done twice.

A few lines are tried, others each time; CLARY_EVERY_LINE=1 tries them all.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import shutil
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clary.ports.objects import Meta
from clary.ports.world import Call, World
from clary.server import KINDS, House, operations
from clary.settings import Settings
from jobs.conftest import SKLEARN, archive, wait
from survival import dying, home
from survival.job_client import SCRIPT
from survival.slow_package import slow_requirements
from survival.test_every_line import body

INSIDE = ("/clary/lifecycle/", "/clary/backends/process")
NAME = "stepped"
TIMES = "def model_fn(folder):\n    return 2\ndef predict_fn(rows, model):\n    return rows * model\n"
Begin = Callable[[], None]
operations()  # read once here, and not by each of the processes that die


def ask(world: World, operation: str, **request: Any) -> Any:
    identity: Any = world.identity
    key = identity.key(identity.root.access_key_id, None)
    call = Call(world, key.principal, world.region, "request")
    return operations()["sagemaker", operation].function(call, request)


def store(world: World, key: str, data: bytes) -> str:
    async def put() -> None:
        await world.objects.put("bucket", key, body(data), Meta())

    asyncio.run(put())
    return f"s3://bucket/{key}"


def job(world: World, installs: bool) -> None:
    algorithm: dict[str, Any] = {"TrainingImage": SKLEARN, "TrainingInputMode": "File"}
    parameters = {}
    if installs:
        text = "import os\nprint('up')\nopen(os.environ['SM_MODEL_DIR'] + '/run-1', 'w')\nprint('done')\n"
        files = {"train.py": text, **slow_requirements(0)}
        source = store(world, "source.tar.gz", archive(files))
        parameters = {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": f'"{source}"'}
    else:
        text = SCRIPT.format(out="/opt/ml/model", size=100_000, seconds=0.05, code=0)
        algorithm["ContainerEntrypoint"] = ["/bin/sh", "-c", text]
    ask(
        world,
        "CreateTrainingJob",
        TrainingJobName=NAME,
        RoleArn="arn:aws:iam::123456789012:role/x",
        AlgorithmSpecification=algorithm,
        HyperParameters=parameters,
        OutputDataConfig={"S3OutputPath": "s3://bucket/out"},
        ResourceConfig={"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 100},
    )


def endpoint(world: World, _: bool) -> None:
    uri = store(world, "model.tar.gz", archive({"code/inference.py": TIMES}))
    ask(world, "CreateModel", ModelName=NAME, PrimaryContainer={"Image": SKLEARN, "ModelDataUrl": uri})
    variant = {
        "VariantName": "v",
        "ModelName": NAME,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    ask(world, "CreateEndpointConfig", EndpointConfigName=NAME, ProductionVariants=[variant])
    ask(world, "CreateEndpoint", EndpointName=NAME, EndpointConfigName=NAME)


def prepare(place: Path, make: Callable[[World, bool], None], installs: bool, begin: Begin) -> Any:
    place.mkdir()
    world = House(Settings(place)).world
    world.objects.create_bucket("bucket", world.region)
    make(world, installs)
    return True


def carry_on(place: Path, kind: str, rest: tuple[str, ...], begin: Begin) -> Any:
    """Step after step, as the reconciler takes them, until the record is at rest."""
    world = House(Settings(place)).world
    begin()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = world.store.get(kind, NAME)
        if found is None or found.status in rest:
            return found and found.body
        delay = KINDS[kind].step(world, NAME)
        time.sleep(min(delay or 0.0, 0.02))
    raise AssertionError(f"never at rest: {found}")


def delete(place: Path, begin: Begin) -> Any:
    ask(House(Settings(place)).world, "DeleteEndpoint", EndpointName=NAME)
    return True


def outcome(place: Path, begin: Begin) -> Any:
    world = House(Settings(place)).world
    (stream,) = world.logs.streams("/aws/sagemaker/TrainingJobs")
    lines = [line.message for line in world.logs.lines("/aws/sagemaker/TrainingJobs", stream.name, 0, 1000)]
    found = world.store.get("TrainingJob", NAME)
    assert found is not None
    data = b"".join(world.objects.read(world.objects.head("bucket", f"out/{NAME}/output/model.tar.gz")))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        files = {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}  # type: ignore[union-attr]
    return found.status, found.body.get("FailureReason"), lines, files


@pytest.mark.parametrize(("installs", "few"), [(False, 16), (True, 3)], ids=["plain", "with requirements"])
def test_a_job(quick: Path, installs: bool, few: int) -> None:
    start, tried = quick / "start", quick / "tried"
    rest = ("Completed", "Failed", "Stopped")
    dying.run(prepare, start, job, installs)
    shutil.copytree(start, tried)
    passed = dying.run(carry_on, tried, "TrainingJob", rest, inside=INSIDE)[1]
    for line in dying.moments(passed, few):
        shutil.rmtree(tried)
        shutil.copytree(start, tried)
        dying.run(carry_on, tried, "TrainingJob", rest, line=line, inside=INSIDE)
        dying.run(carry_on, tried, "TrainingJob", rest)
        status, reason, lines, files = dying.run(outcome, tried)[0]
        where = f"killed at {passed[line - 1]}"
        assert (status, reason) == ("Completed", None), where
        assert [text for text in lines if text in ("up", "done")] == ["up", "done"], where
        assert len([name for name in files if name.startswith("run-")]) == 1, where
        if not installs:
            assert files["sum"].split()[0].decode() == hashlib.sha256(files["data"]).hexdigest(), where
        assert home.leftovers(tried) == [], where
        assert not home.supervised(tried), where
        home.check_data(tried)


def test_an_endpoint(quick: Path) -> None:
    start, tried = quick / "start", quick / "tried"
    dying.run(prepare, start, endpoint, False)
    shutil.copytree(start, tried)
    passed = dying.run(carry_on, tried, "Endpoint", ("InService",), inside=INSIDE)[1]
    take_down(tried, passed=[])
    for line in dying.moments(passed, 3):
        shutil.rmtree(tried)
        shutil.copytree(start, tried)
        dying.run(carry_on, tried, "Endpoint", ("InService",), line=line, inside=INSIDE)
        found = dying.run(carry_on, tried, "Endpoint", ("InService", "Failed"))[0]
        where = f"killed at {passed[line - 1]}"
        assert "FailureReason" not in found, where
        assert len(home.supervised(tried)) == 1, where
        take_down(tried, passed)


def take_down(place: Path, passed: list[str]) -> None:
    """Killed once while it is taken down; then nothing is left."""
    dying.run(delete, place)
    if passed:
        line = dying.moments([f":{number}" for number in range(1, 60)], 1)[0]
        dying.run(carry_on, place, "Endpoint", (), line=line, inside=INSIDE)
    assert dying.run(carry_on, place, "Endpoint", ())[0] is None
    wait(lambda: not home.supervised(place))
    assert home.leftovers(place) == []
