"""Jobs whose server is dead for a while, or whose program is lost. Kills at any point: tests/survival."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

from jobs.conftest import Jobs

COUNTING = """
import boto3, os, time, uuid
name = os.environ["TRAINING_JOB_NAME"]
open(os.environ["SM_MODEL_DIR"] + "/" + uuid.uuid4().hex, "w").write("run")
print("up", flush=True)
time.sleep({seconds})
print("done", flush=True)
"""


def test_a_job_goes_on_while_the_server_is_dead(own_jobs: Jobs) -> None:
    ends, goes_on = (own_jobs.script(COUNTING.format(seconds=s), **_small()) for s in (0.3, 3))
    names = [own_jobs.train(ends), own_jobs.train(goes_on)]
    for name in names:
        own_jobs.logged(name, "up")
    own_jobs.clary.kill()
    time.sleep(0.6)
    own_jobs.clary.start()
    for name in names:
        found = own_jobs.end(name)
        assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
        assert len(own_jobs.unpacked(found["ModelArtifacts"]["S3ModelArtifacts"])) == 1
        assert own_jobs.log(name)[-1] == "done"


def test_a_job_whose_program_is_lost_says_so(own_jobs: Jobs) -> None:
    name = own_jobs.train(own_jobs.script("import time; print('up', flush=True); time.sleep(60)"))
    own_jobs.logged(name, "up")
    own_jobs.clary.kill()
    (started,) = (own_jobs.clary.home / "programs").glob("*/started")
    os.kill(json.loads(started.read_text())["pid"], signal.SIGKILL)
    own_jobs.clary.start()
    found = own_jobs.end(name)
    assert found["TrainingJobStatus"] == "Failed"
    assert "left no exit code" in found["FailureReason"]


def test_a_program_ends_when_its_home_is_deleted(own_jobs: Jobs) -> None:
    name = own_jobs.train(own_jobs.script("import time; print('up', flush=True); time.sleep(60)"))
    own_jobs.logged(name, "up")
    (started,) = (own_jobs.clary.home / "programs").glob("*/started")
    supervisor = json.loads(started.read_text())["pid"]
    own_jobs.clary.kill()
    shutil.rmtree(own_jobs.clary.home, ignore_errors=True)
    assert ended(supervisor, seconds=10)


def ended(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.05)
    return False


def _small() -> dict[str, object]:
    return {"ResourceConfig": {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}}
