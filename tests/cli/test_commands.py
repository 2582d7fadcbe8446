"""`clary up`, `env`, `run` and `link` as a person types them."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from running import Clary, free_port

OTHERS_CONFIG = "[default]\nregion = eu-west-1\n\n[profile work]\nrole_arn = arn:aws:iam::1:role/x\n# mine\n"
OTHERS_KEYS = "[default]\naws_access_key_id = AKIAMINE\naws_secret_access_key = mine"


def clary_command(clary: Clary, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clary.cli", *arguments]
    return subprocess.run(
        command, env=clary.environment | extra, capture_output=True, text=True, check=False, timeout=60
    )


def on_home(clary: Clary, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return clary_command(clary, name, "--home", str(clary.home), *arguments)


def test_a_second_start_on_the_same_home_says_so(clary: Clary) -> None:
    done = on_home(clary, "up", "--port", str(free_port()))
    assert done.returncode == 1
    assert done.stderr.strip() == f"clary: a Clary already runs on {clary.home}, at {clary.url}"


def test_a_taken_port_says_so(clary: Clary, tmp_path: Path) -> None:
    done = clary_command(clary, "up", "--home", str(tmp_path / "other"), "--port", str(clary.port))
    assert done.returncode == 1
    assert f"127.0.0.1:{clary.port}" in done.stderr and "--port" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["up", "--port", "70000"], "port must be between 1 and 65535"),
        (["up", "--cpus", "-1"], "cpus must not be below 0"),
        (["env"], "Start one with `clary up`"),
        (["run", "--", "true"], "Start one with `clary up`"),
        (["link"], "Start one with `clary up`"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(
    clary: Clary, tmp_path: Path, arguments: list[str], message: str
) -> None:
    name, *rest = arguments
    done = clary_command(clary, name, "--home", str(tmp_path / "empty"), *rest)
    assert done.returncode in (1, 2)
    assert message in done.stderr and "Traceback" not in done.stderr


def test_a_wrong_configuration_file_is_told(clary: Clary, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("prot = 1\n")
    done = clary_command(clary, "up", "--home", str(tmp_path))
    assert done.returncode == 2
    assert "there is no setting 'prot'" in done.stderr


def test_other_profiles_are_never_touched(tmp_path: Path) -> None:
    server = Clary(tmp_path / "home", free_port())
    files = {name: tmp_path / "home" / "aws" / name for name in ("config", "credentials")}
    files["config"].parent.mkdir(parents=True)
    files["config"].write_text(OTHERS_CONFIG)
    files["credentials"].write_text(OTHERS_KEYS)
    for _ in range(2):
        server.start()
        server.stop()
    config, keys = files["config"].read_text(), files["credentials"].read_text()
    assert config.startswith(OTHERS_CONFIG) and keys.startswith(OTHERS_KEYS + "\n")
    parsed = configparser.ConfigParser()
    parsed.read_string(config)
    assert parsed["profile clary"]["endpoint_url"] == server.url
    assert config.count("[profile clary]") == keys.count("[clary]") == 1
    assert files["credentials"].stat().st_mode & 0o077 == 0


def test_the_home_is_private(clary: Clary) -> None:
    assert clary.home.stat().st_mode & 0o077 == 0
    for name in ("key", "credentials.json"):
        assert (clary.home / name).stat().st_mode & 0o077 == 0


IDENTITY = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"


def test_run_sets_what_a_client_needs(clary: Clary) -> None:
    done = on_home(clary, "run", "--", sys.executable, "-c", IDENTITY)
    assert done.stdout.strip() == clary.account, done.stderr
    failing = on_home(clary, "run", "--", sys.executable, "-c", "raise SystemExit(7)")
    assert failing.returncode == 7
    absent = on_home(clary, "run", "--", "no-such-program")
    assert absent.returncode == 127 and "no-such-program" in absent.stderr


def test_run_beats_the_callers_own_profile(clary: Clary) -> None:
    done = clary_command(
        clary, "run", "--home", str(clary.home), "--", sys.executable, "-c", IDENTITY,
        AWS_PROFILE="nowhere", AWS_ENDPOINT_URL_STS="http://127.0.0.1:9", AWS_SESSION_TOKEN="stale",
    )  # fmt: skip
    assert done.stdout.strip() == clary.account, done.stderr


def test_env_is_for_a_shell(clary: Clary) -> None:
    line = (
        f'eval "$({sys.executable} -m clary.cli env --home {clary.home})" && {sys.executable} -c "{IDENTITY}"'
    )
    done = subprocess.run(
        ["bash", "-c", line], env=clary.environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == clary.account, done.stderr


def test_any_other_sitecustomize_still_runs(clary: Clary, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.theirs = True\n")
    check = "import sys; print(sys.theirs); " + IDENTITY
    done = clary_command(
        clary, "run", "--home", str(clary.home), "--", sys.executable, "-c", check, PYTHONPATH=str(tmp_path)
    )
    assert done.stdout.split() == ["True", clary.account], done.stderr


def test_the_first_start_prints_where_to_go(clary: Clary) -> None:
    said = clary.log()
    assert f"{clary.url}/#token=" in said
    assert "AWS_PROFILE=clary" in said
    assert json.loads((clary.home / "server.json").read_text())["url"] == clary.url


def test_secrets_do_not_get_into_the_log(clary: Any) -> None:
    assert clary.credentials()["secret_access_key"] not in clary.log()


def test_it_starts_from_any_folder(clary: Clary, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "clary.cli", "--version"],
        cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("clary 0.")
