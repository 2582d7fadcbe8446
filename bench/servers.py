"""Clary and its peer moto, started as their users start them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from bench import load
from tests.running import Clary, free_port

MOTO = Path(".venvs/moto/bin/moto_server")
IDENTITY = b"Action=GetCallerIdentity&Version=2011-06-15"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
POLL_SECONDS = 0.002


@contextmanager
def clary(folder: Path) -> Iterator[Clary]:
    server = Clary(folder / "home", free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def moto() -> Iterator[str]:
    """The address of a moto_server."""
    port = free_port()
    process = start_moto(port)
    try:
        first_answer(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def start_moto(port: int) -> subprocess.Popen[bytes]:
    command = [str(MOTO), "-H", "127.0.0.1", "-p", str(port)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def first_answer(url: str, process: subprocess.Popen[bytes], keys: Path | None = None) -> None:
    """Ask who we are until there is an answer; with the keys in `keys` once the file is there."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, "the server ended"
        if _answers(url, keys):
            return
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"{url} did not answer")


def _answers(url: str, keys: Path | None) -> bool:
    import json

    found = ("test", "test")
    if keys is not None:
        if not keys.exists():
            return False
        known = json.loads(keys.read_text())
        found = (known["access_key_id"], known["secret_access_key"])
    signed = load.message(url + "/", IDENTITY, FORM, "sts", found)
    head = signed.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    try:
        request = Request(url + "/", IDENTITY, dict(line.split(": ", 1) for line in head))
        with urlopen(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def environment(folder: Path) -> dict[str, str]:
    """AWS's files inside the folder, so that no profile of the user is touched."""
    files = {"AWS_CONFIG_FILE": str(folder / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "keys")}
    return {**os.environ, **files}
