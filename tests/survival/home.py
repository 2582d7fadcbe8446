"""What lies and runs in a Clary's home, seen from outside: files against index rows, processes, leftovers."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path


def check_data(home: Path, before: float | None = None) -> None:
    """Every row has its file, whole; every file (that is older than `before`) has its row."""
    root = home / "objects"
    with closing(sqlite3.connect(root / "index.db")) as index:
        rows = dict(index.execute("SELECT file, size FROM objects UNION ALL SELECT file, size FROM parts"))
    files = {}
    for file in (root / "data").glob("*/*"):
        status = file.stat()
        if before is None or status.st_mtime < before:
            files[f"{file.parent.name}/{file.name}"] = status.st_size
    for name, size in rows.items():
        path = root / "data" / name
        assert path.exists(), f"the data file {name} is gone"
        assert path.stat().st_size == size, f"the data file {name} is torn"
    # What came between reading the rows and the files is younger than `before`.
    assert not files.keys() - rows.keys(), "data files that no row names"


def supervised(home: Path) -> Counter[str]:
    """Programs of this home that a supervisor watches now: id's folder -> how many supervisors."""
    return Counter(program for program, _ in _supervisors(home))


def end_programs(home: Path) -> None:
    """What outlives the server must not outlive its test; a sandbox ends with its supervisor."""
    for _, pid in list(_supervisors(home)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _supervisors(home: Path) -> Iterator[tuple[str, int]]:
    mark = os.fsencode(home.resolve() / "programs") + b"/"
    for entry in Path("/proc").glob("[0-9]*"):
        for word in _read(entry / "cmdline").split(b"\0"):
            if word.startswith(mark) and _leads(int(entry.name)):
                yield os.fsdecode(word.removeprefix(mark)).partition("/")[0], int(entry.name)


def _leads(pid: int) -> bool:
    """A supervisor leads its session; the child that is to become its program has the same command line."""
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False


def processes(home: Path, name: str) -> list[str]:
    """Command lines of all processes of this home's programs whose id begins with `name`."""
    found = []
    house = b"CLARY_PROGRAM_HOME=" + os.fsencode(home.resolve())
    for entry in Path("/proc").glob("[0-9]*"):
        marks = _read(entry / "environ").split(b"\0")
        if house in marks and any(mark.startswith(f"CLARY_PROGRAM={name}".encode()) for mark in marks):
            found.append(_read(entry / "cmdline").replace(b"\0", b" ").decode("utf-8", "replace")[:200])
    return found


def leftovers(home: Path) -> list[str]:
    """What no job, endpoint or environment is to leave behind when all have ended."""
    places = ("jobs/TrainingJob", "jobs/ProcessingJob", "programs", "endpoints")
    found = [entry for place in places if (home / place).is_dir() for entry in (home / place).iterdir()]
    found += [entry for pattern in ("*.new", ".*", "*tmp*") for entry in home.rglob(pattern)]
    return sorted(str(entry.relative_to(home)) for entry in found)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
