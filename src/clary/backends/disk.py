"""Blobs as plain files on this machine's disk, synced before they count."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from clary.backends.blobs import Writer
from clary.backends.durable import make_folder, sync_folder
from clary.ports.objects import ObjectsError

READ = 1024 * 1024


class DiskBlobs:
    """backends.blobs.Blobs below one folder; a blob's path may be linked to, never written to."""

    piece = 1024 * 1024

    def __init__(self, root: Path) -> None:
        self._root = root
        make_folder(root)
        for number in range(256):
            (root / f"{number:02x}").mkdir(exist_ok=True)
        sync_folder(root)

    def writer(self, name: str) -> Writer:
        return _DiskWriter(self._root / name)

    def read(self, name: str, start: int, length: int) -> Iterator[bytes]:
        with _told():
            file = (self._root / name).open("rb")
        return _read(file, start, length)

    def path(self, name: str) -> Path:
        return self._root / name

    def join(self, name: str, parts: Sequence[tuple[str, int]]) -> None:
        writer = _DiskWriter(self._root / name)
        try:
            for part, size in parts:
                writer.append_file(self._root / part, size)
            writer.finish(b"")
        except BaseException:
            writer.abort()
            raise

    def delete(self, names: Sequence[str]) -> None:
        for name in names:
            (self._root / name).unlink(missing_ok=True)

    sweep = delete


class _DiskWriter:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def append(self, data: bytes) -> None:
        with _told():
            self._opened().write(data)

    def append_file(self, source: Path, size: int) -> None:
        with _told(), source.open("rb") as file:
            shutil.copyfileobj(file, self._opened(), READ)
            if file.tell() != size:
                raise OSError(errno.EIO, f"{source} is not as long as it was")

    def finish(self, rest: bytes) -> None:
        with _told():
            file = self._opened()
            file.write(rest)
            file.flush()
            os.fsync(file.fileno())
            file.close()
            sync_folder(self._path.parent)

    def abort(self) -> None:
        if self._file is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)

    def _opened(self) -> BinaryIO:
        self._file = self._file or self._path.open("xb")
        return self._file


def _read(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while length > 0 and (chunk := file.read(min(READ, length))):
            length -= len(chunk)
            yield chunk


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "is full: free some space and try again" if full else f"does not take it: {error.strerror}"
        raise ObjectsError("ServiceUnavailable", f"The disk of this Clary {why}") from error
