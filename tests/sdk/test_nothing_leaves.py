"""Nothing leaves the house: what the SDKs, the server and its jobs tried to reach, as the kernel saw it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.conftest import jobs_of
from running import Clary, free_port
from sdk.conftest import WAYS
from sdk.script import SCRIPTS, Script, by_run, environment, python
from sdk.watching import reached, watch

pytestmark = pytest.mark.timeout(600)
NOBODY = "127.255.255.254"
"""Where nobody listens, on the network that does not leave the machine."""
TELEMETRY = ["env", "-u", "SAGEMAKER_ADMIN_CONFIG_OVERRIDE"]
"""`clary run` without the one variable that switches the SDKs' telemetry off."""


@pytest.mark.parametrize("name", WAYS)
def test_a_script_reaches_clary_and_nobody_else(
    scripts: dict[str, Script], watched: Clary, name: str
) -> None:
    scripts[name].end()
    assert reached(scripts[name].record) == {f"127.0.0.1:{watched.port}"}


def test_the_server_and_its_jobs_reach_nobody_else(scripts: dict[str, Script], watched: Clary) -> None:
    for script in scripts.values():
        script.end()
    assert reached(watched.home.parent / "strace.txt") == {f"127.0.0.1:{watched.port}"}


def test_a_job_that_reaches_further_is_seen(tmp_path: Path) -> None:
    """So that the test above means something: a job is a process far from the server, in a sandbox."""
    record = tmp_path / "strace.txt"
    clary = Clary(tmp_path / "home", free_port(), (), watch(record))
    clary.start()
    try:
        jobs = jobs_of(clary)
        found = jobs.run(jobs.script(f"import socket; socket.socket().connect_ex(('{NOBODY}', 9))"))
    finally:
        clary.stop()
    assert found["TrainingJobStatus"] == "Completed"
    assert reached(record) == {f"{NOBODY}:9"}


def sealed(folder: Path) -> list[str]:
    """So that what leaves in a test that shows how it would be caught, still does not leave the machine."""
    (folder / "resolv.conf").write_text(f"nameserver {NOBODY}\noptions timeout:1 attempts:1\n")
    (folder / "nsswitch.conf").write_text("hosts: files dns\n")
    files = [("--ro-bind", str(folder / name), f"/etc/{name}") for name in ("resolv.conf", "nsswitch.conf")]
    return ["bwrap", "--dev-bind", "/", "/", *(word for bind in files for word in bind), "--"]


@pytest.fixture(scope="module")
def careless(
    watched: Clary, tables: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Script]]:
    """The SDKs by the profile alone, and by `clary run` with their telemetry on."""
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    started = {}
    for generation in ("v2", "v3"):
        name = f"{generation}_start"
        command = [python(name), str(SCRIPTS / f"{name}.py"), str(tables), str(SCRIPTS / "source")]
        for way in ("profile", "telemetry"):
            folder = tmp_path_factory.mktemp(f"{generation}-{way}")
            variables = environment(watched, folder)
            if way == "profile":
                line, variables = [*sealed(folder), *command], variables | {"AWS_PROFILE": "clary"}
            else:
                line = [*sealed(folder), *by_run(watched, [*TELEMETRY, *command])]
            started[f"{generation} {way}"] = Script.start(line, variables, folder)
    yield started
    for script in started.values():
        script.process.kill()
        script.process.wait()


@pytest.mark.parametrize("generation", ["v2", "v3"])
def test_without_the_environment_sts_would_be_asked_and_it_is_seen(
    careless: dict[str, Script], generation: str
) -> None:
    script = careless[f"{generation} profile"]
    assert script.status() != 0
    assert f"{NOBODY}:53" in reached(script.record)
    assert "https://sts.us-east-1.amazonaws.com/" in script.text()


@pytest.mark.parametrize("generation", ["v2", "v3"])
def test_without_the_opt_out_telemetry_would_be_sent_and_it_is_seen(
    careless: dict[str, Script], watched: Clary, generation: str
) -> None:
    script = careless[f"{generation} telemetry"]
    assert script.told("started")
    assert reached(script.record) == {f"127.0.0.1:{watched.port}", f"{NOBODY}:53"}
    assert "sm-pysdk-t-us-east-" in script.record.read_text()
