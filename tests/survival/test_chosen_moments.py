"""The server is killed in the middle of long things: uploads, archives, queues, installs, deployments."""

from __future__ import annotations

import hashlib
import io
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from jobs.conftest import Jobs, jobs_of, wait
from running import Clary, free_port
from survival import home
from survival.ledger import ServerGone, client, lost_if_dead
from survival.slow_package import slow_requirements

MIB = 1 << 20
SMALL = {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}


@pytest.fixture(scope="module")
def killable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clary]:
    """One home, whose server the tests kill and start again."""
    server = Clary(tmp_path_factory.mktemp("killable") / "home", free_port())
    server.start()
    yield server
    server.stop()
    home.end_programs(server.home)


@pytest.fixture
def user(killable: Clary) -> Iterator[Jobs]:
    """A user; when the test is over nothing runs and nothing is left."""
    found = jobs_of(killable)
    yield found
    wait(lambda: not home.supervised(killable.home))
    wait(lambda: not home.leftovers(killable.home), 5)
    home.check_data(killable.home)


def again(server: Clary) -> None:
    server.kill()
    server.start()


def in_background(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """A call that the server's death may cut short, and what it answered, if it did."""
    answers: list[Any] = []

    def run() -> None:
        try:
            with lost_if_dead():
                answers.append(call())
        except ServerGone:
            pass

    thread = threading.Thread(target=run)
    thread.start()
    return thread, answers


def largest_file(server: Clary) -> int:
    sizes = [file.stat().st_size for file in (server.home / "objects" / "data").glob("*/*")]
    return max(sizes, default=0)


def test_a_large_put_is_there_whole_or_not_at_all(user: Jobs) -> None:
    data = random.Random(1).randbytes(100 * MIB)
    s3, place = client(user.clary, "s3"), {"Bucket": user.bucket, "Key": "large"}
    for before in (None, b"the old object"):
        if before is not None:
            user.s3.put_object(**place, Body=before)
        thread, answers = in_background(lambda: s3.put_object(**place, Body=data))
        wait(lambda: largest_file(user.clary) > 20 * MIB)
        user.clary.kill()
        thread.join()
        assert not answers, "it was answered before it was killed"
        user.clary.start()
        home.check_data(user.clary.home)
        if before is None:
            with pytest.raises(ClientError, match="NoSuchKey"):
                user.s3.get_object(**place)
        else:
            assert user.s3.get_object(**place)["Body"].read() == before
    made = user.s3.put_object(**place, Body=data)
    again(user.clary)
    found = user.s3.get_object(**place)
    assert found["Body"].read() == data
    assert found["ETag"] == made["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'


def test_an_upload_is_completed_whole_or_not_at_all(user: Jobs) -> None:
    pieces = [random.Random(n).randbytes(12 * MIB) for n in range(3)]
    s3, place = client(user.clary, "s3"), {"Bucket": user.bucket, "Key": "parts"}
    done = 0
    for attempt in range(4):
        id = user.s3.create_multipart_upload(**place)["UploadId"]
        parts = [
            {
                "PartNumber": n,
                "ETag": user.s3.upload_part(**place, UploadId=id, PartNumber=n, Body=piece)["ETag"],
            }
            for n, piece in enumerate(pieces, 1)
        ]
        whole = {**place, "UploadId": id, "MultipartUpload": {"Parts": parts}}
        thread, answers = in_background(lambda: s3.complete_multipart_upload(**whole))  # noqa: B023
        time.sleep(attempt * 0.05)
        user.clary.kill()
        thread.join()
        user.clary.start()
        open_ = [
            item["UploadId"] for item in user.s3.list_multipart_uploads(Bucket=user.bucket).get("Uploads", ())
        ]
        there = [item["Key"] for item in user.s3.list_objects_v2(Bucket=user.bucket).get("Contents", ())]
        assert (there, open_) in (([], [id]), (["parts"], []))
        assert there or not answers
        done += bool(there)
        # A client that was cut off tries again, and is told of success either way.
        user.s3.complete_multipart_upload(**whole)
        assert user.s3.get_object(**place)["Body"].read() == b"".join(pieces)
        user.s3.delete_object(**place)
        home.check_data(user.clary.home)
    print(f"{done} of 4 were complete when the server was killed")


def test_a_model_archive_is_made_again_and_whole(user: Jobs) -> None:
    script = """
import hashlib, os, random
data = random.Random(5).randbytes(60_000_000)
open(os.environ["SM_MODEL_DIR"] + "/data", "wb").write(data)
print(hashlib.sha256(data).hexdigest())
"""
    name = user.train(user.script(script, ResourceConfig=SMALL))
    folder = user.clary.home / "jobs" / "TrainingJob" / name
    wait(lambda: any(file.stat().st_size > MIB for file in folder.glob("*/archive.tar.gz")))
    again(user.clary)
    wait(lambda: largest_file(user.clary) > 10 * MIB)
    again(user.clary)
    found = user.end(name)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    (data,) = user.unpacked(found["ModelArtifacts"]["S3ModelArtifacts"]).values()
    assert user.log(name)[1:] == [hashlib.sha256(data).hexdigest()]


def test_a_queue_outlives_its_server(user: Jobs) -> None:
    script = "import time\nprint('up', flush=True)\ntime.sleep({})\nprint('done')"
    all_cores = {**SMALL, "InstanceType": "ml.m5.24xlarge"}
    holds = user.train(user.script(script.format(2.5), ResourceConfig=all_cores))
    user.logged(holds, "up")
    waits, unwanted, last = (
        user.train(user.script(script.format(0), ResourceConfig=all_cores)) for _ in range(3)
    )
    user.sagemaker.stop_training_job(TrainingJobName=unwanted)
    for _ in range(2):
        again(user.clary)
        found = wait(lambda: (f := user.describe(waits))["SecondaryStatus"] == "Pending" and f)
        assert "Waiting for capacity" in found["SecondaryStatusTransitions"][-1]["StatusMessage"]
        assert holds in found["SecondaryStatusTransitions"][-1]["StatusMessage"]
    ends = {name: user.end(name) for name in (holds, waits, last, unwanted)}
    assert [ends[name]["TrainingJobStatus"] for name in ends] == ["Completed"] * 3 + ["Stopped"]
    assert ends[holds]["TrainingEndTime"] <= ends[waits]["TrainingStartTime"]
    assert ends[waits]["TrainingEndTime"] <= ends[last]["TrainingStartTime"]
    assert [user.log(name)[1:] for name in (holds, waits, last)] == [["up", "done"]] * 3


def installing(user: Jobs, name: str) -> None:
    wait(lambda: home.processes(user.clary.home, "environment/"))
    assert user.describe(name)["SecondaryStatus"] == "Downloading"


def test_an_installation_goes_on_and_is_done_once(user: Jobs) -> None:
    script = "import slow_pure\nprint('answer', slow_pure.ANSWER)"
    files = slow_requirements(2)
    names = [user.train(user.script(script, files, ResourceConfig=SMALL))]
    installing(user, names[0])
    for _ in range(2):
        again(user.clary)
        time.sleep(0.3)
    names.append(user.train(user.script(script, files, ResourceConfig=SMALL)))
    for name in names:
        found = user.end(name)
        assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
        assert user.log(name)[-1] == "answer 42"
    assert sum("Successfully built" in line for name in names for line in user.log(name)) == 1
    assert not list((user.clary.home / "environments").glob("*.source"))


def test_an_installation_ends_with_its_job(user: Jobs) -> None:
    stopped = user.train(user.script("", slow_requirements(61), ResourceConfig=SMALL))
    installing(user, stopped)
    user.sagemaker.stop_training_job(TrainingJobName=stopped)
    again(user.clary)
    assert user.end(stopped, 10)["TrainingJobStatus"] == "Stopped"
    wait(lambda: not home.processes(user.clary.home, "environment/"), 5)
    late = user.end(user.train(user.script("", slow_requirements(62), seconds=2, ResourceConfig=SMALL)), 15)
    assert (late["TrainingJobStatus"], late["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    wait(lambda: not home.processes(user.clary.home, "environment/"), 5)
    assert not list((user.clary.home / "environments").glob("*.source"))


def test_a_stop_is_carried_out_by_the_next_server(user: Jobs) -> None:
    script = """
import signal, sys, time
def end(*_):
    print("told", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
time.sleep(60)
"""
    for _ in range(2):
        name = user.train(user.script(script, ResourceConfig=SMALL))
        user.logged(name, "up")
        user.sagemaker.stop_training_job(TrainingJobName=name)
        again(user.clary)
        assert user.end(name, 15)["TrainingJobStatus"] == "Stopped"
        assert user.log(name)[1:] == ["up", "told"]


MOMENTS: dict[str, Callable[[Path, str], bool]] = {
    "its files are being unpacked": lambda place, name: (place / "endpoints" / name).exists(),
    "its worker is being started": lambda place, name: any(
        (place / "programs").glob(f"Endpoint%2F{name}%2F*")
    ),
    "its worker loads": lambda place, name: bool(home.processes(place, f"Endpoint/{name}/")),
}


def test_a_deployment_is_finished_by_the_next_server(user: Jobs) -> None:
    from survival.endpoint_client import EndpointClient

    deploying = EndpointClient(user.clary, user.bucket, "unused")
    for number, (moment, reached) in enumerate(MOMENTS.items()):
        name = f"cut-{number}"
        call = {"EndpointName": name, "EndpointConfigName": "deploy-2"}
        user.sagemaker.create_endpoint(**call)
        wait(lambda: reached(user.clary.home, name))  # noqa: B023
        again(user.clary)
        wait(lambda: user.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")  # noqa: B023
        runtime = user.clary.client("sagemaker-runtime", retries=0)
        answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=io.BytesIO(b"1,2"))
        assert answer["Body"].read() == b"[[2.0, 4.0]]", moment
        workers = [id for id in home.supervised(user.clary.home) if f"%2F{name}%2F" in id]
        assert len(workers) == 1, moment
        user.sagemaker.delete_endpoint(EndpointName=name)
        again(user.clary)
        wait(lambda: not user.sagemaker.list_endpoints()["Endpoints"])
        wait(lambda: not home.processes(user.clary.home, f"Endpoint/{name}/"), 5)  # noqa: B023
    deploying.check()
