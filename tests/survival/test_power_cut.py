"""In the order that a power cut respects: the bytes, their folder, then the row that makes them count."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clary.ports.objects import Objects
from clary.server import objects as open_objects
from clary.settings import Settings
from survival import dying
from survival.test_every_line import OPERATIONS, prepare


def watched(place: Path, act: Callable[[Objects], None], begin: Callable[[], None]) -> list[str]:
    """What is synced, and what the index is told, in order."""
    events: list[str] = []
    sync, connect = os.fsync, sqlite3.connect

    def fsync(descriptor: int) -> None:
        sync(descriptor)
        events.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))

    def traced(*arguments: Any, **further: Any) -> sqlite3.Connection:
        made = connect(*arguments, **further)
        made.set_trace_callback(events.append)
        return made

    os.fsync, sqlite3.connect = fsync, traced
    store = open_objects(Settings(place))
    assert "PRAGMA synchronous=FULL" in events
    events.clear()
    act(store)
    return events


@pytest.mark.parametrize(
    "name",
    [
        "a new object",
        "one of several pieces",
        "a replaced object",
        "a job's output",
        "a part",
        "a completion",
    ],
)
def test_bytes_are_on_the_disk_before_they_count(tmp_path: Path, name: str) -> None:
    dying.run(prepare, tmp_path, name)
    events = dying.run(watched, tmp_path, OPERATIONS[name][1])[0]
    row = next(i for i, e in enumerate(events) if e.startswith("INSERT OR REPLACE INTO"))
    blob = events[row].rpartition("'")[0].rpartition("'")[2]
    data = str(tmp_path / "objects" / "data" / blob)
    commit = events.index("COMMIT", row)
    assert events.index(data) < events.index(str(Path(data).parent)) < row < commit, events
