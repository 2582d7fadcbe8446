"""`clary up` to the first answered call, beside moto_server."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import servers
from bench.table import Row
from tests.running import free_port

TIMES = 7


def measure() -> list[Row]:
    first, again, peer = [], [], []
    for _ in range(TIMES):
        with TemporaryDirectory() as folder:
            first.append(_clary(Path(folder)))
            again.append(_clary(Path(folder)))
        peer.append(_moto())
    theirs = statistics.median(peer)
    found = (("first start on an empty home", first), ("start", again))
    return [
        Row(f"`clary up` to the first answered call, {what}", statistics.median(mine), theirs,
            "moto_server", "s", "at most 2", statistics.median(mine) <= 2 * theirs)
        for what, mine in found
    ]  # fmt: skip


def _clary(folder: Path) -> float:
    port, home = free_port(), folder / "home"
    command = [sys.executable, "-m", "clary.cli", "up", "--home", str(home), "--port", str(port)]
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=servers.environment(folder), stdout=subprocess.DEVNULL)
    servers.first_answer(f"http://127.0.0.1:{port}", process, home / "credentials.json")
    return _end(process, begin)


def _moto() -> float:
    port = free_port()
    begin = time.perf_counter()
    process = servers.start_moto(port)
    servers.first_answer(f"http://127.0.0.1:{port}", process)
    return _end(process, begin)


def _end(process: subprocess.Popen[bytes], begin: float) -> float:
    taken = time.perf_counter() - begin
    process.terminate()
    process.wait()
    return taken
