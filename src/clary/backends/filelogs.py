"""Logs as files: one folder a group, one file a stream, one line `<epoch ms>\\t<text>` an event."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from os import SEEK_END
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote

from clary.ports.logs import Line, Stream

BLOCK = 1 << 16
SUFFIX = ".log"


class FileLogs:
    """ports.logs.Logs over `home/logs`. An unfinished last line is not an event yet."""

    def __init__(self, home: Path) -> None:
        self._root = home / "logs"

    def file(self, group: str, stream: str) -> Path:
        path = self._path(group, stream)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def groups(self, prefix: str = "") -> Sequence[str]:
        if not self._root.is_dir():
            return []
        names = (unquote(entry.name) for entry in self._root.iterdir() if entry.is_dir())
        return sorted(name for name in names if name.startswith(prefix))

    def streams(self, group: str, prefix: str = "") -> Sequence[Stream]:
        folder = self._root / quote(group, safe="")
        if not folder.is_dir():
            return []
        files = (entry for entry in folder.iterdir() if entry.suffix == SUFFIX)
        named = sorted((unquote(file.name.removesuffix(SUFFIX)), file) for file in files)
        return [_stream(name, file) for name, file in named if name.startswith(prefix)]

    def lines(self, group: str, stream: str, offset: int, limit: int) -> Sequence[Line]:
        found: list[Line] = []
        try:
            file = self._path(group, stream).open("rb")
        except FileNotFoundError:
            return found
        with file:
            file.seek(min(offset, file.seek(0, SEEK_END)))
            while len(found) < limit:
                raw = file.readline()
                if not raw.endswith(b"\n"):
                    break
                found.append(_line(raw, offset, found[-1].timestamp_ms if found else 0))
                offset += len(raw)
        return found

    def lines_before(self, group: str, stream: str, offset: int | None, limit: int) -> Sequence[Line]:
        try:
            file = self._path(group, stream).open("rb")
        except FileNotFoundError:
            return []
        with file:
            size = file.seek(0, SEEK_END)
            end = size if offset is None else min(offset, size)
            return list(_backwards(file, end, limit))[::-1]

    def delete(self, group: str) -> None:
        shutil.rmtree(self._root / quote(group, safe=""), ignore_errors=True)

    def _path(self, group: str, stream: str) -> Path:
        return self._root / quote(group, safe="") / (quote(stream, safe="") + SUFFIX)


def _stream(name: str, file: Path) -> Stream:
    status = file.stat()
    with file.open("rb") as content:
        head = content.readline()
        first = _line(head, 0, 0).timestamp_ms if head.endswith(b"\n") else None
        last = next((line.timestamp_ms for line in _backwards(content, status.st_size, 1)), None)
    created = first if first is not None else int(status.st_mtime * 1000)
    return Stream(name, created, first, last, status.st_size)


def _backwards(file: BinaryIO, end: int, limit: int) -> Iterator[Line]:
    """Whole lines that end at or before `end`, last one first."""
    start, held = end, b""
    while limit and (start > 0 or held):
        cut = held.rfind(b"\n", 0, len(held) - 1) if held.endswith(b"\n") else held.rfind(b"\n")
        if cut < 0 and start > 0:
            step = min(BLOCK, start)
            start -= step
            file.seek(start)
            held = file.read(step) + held
            continue
        raw = held[cut + 1 :]
        held = held[: cut + 1]
        if raw.endswith(b"\n"):
            yield _line(raw, start + cut + 1, 0)
            limit -= 1


def _line(raw: bytes, offset: int, before: int) -> Line:
    stamp, tab, text = raw[:-1].partition(b"\t")
    whole = bool(tab) and stamp.isdigit()
    message = (text if whole else raw[:-1]).decode("utf-8", "replace")
    return Line(int(stamp) if whole else before, message, offset, offset + len(raw))
