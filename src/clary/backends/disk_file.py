"""Data files of the disk backend: hashed on the way in, and on the disk before they count."""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
import os
import uuid
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from awscrt import checksums

from clary.ports.objects import ObjectsError

BUFFER = 1024 * 1024
_CRC: Mapping[str, tuple[Callable[[bytes, int], int], int]] = {
    "CRC32": (zlib.crc32, 4),
    "CRC32C": (checksums.crc32c, 4),
    "CRC64NVME": (checksums.crc64nvme, 8),
}
_HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256}
ALGORITHMS = frozenset(_CRC) | frozenset(_HASHES)


@dataclass
class Digest:
    """MD5 and whatever else is asked for, over a stream."""

    algorithms: Sequence[str] = ()
    size: int = 0
    _md5: Any = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))
    _crcs: dict[str, int] = field(default_factory=dict)
    _hashes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._crcs = {name: 0 for name in self.algorithms if name in _CRC}
        self._hashes = {name: _HASHES[name]() for name in self.algorithms if name in _HASHES}

    def update(self, data: bytes) -> None:
        self.size += len(data)
        self._md5.update(data)
        for name, value in self._crcs.items():
            self._crcs[name] = _CRC[name][0](data, value)
        for hash in self._hashes.values():
            hash.update(data)

    @property
    def etag(self) -> str:
        return str(self._md5.hexdigest())

    def values(self) -> dict[str, str]:
        """Algorithm (and MD5) to base64."""
        found = {name: value.to_bytes(_CRC[name][1], "big") for name, value in self._crcs.items()}
        found |= {name: hash.digest() for name, hash in self._hashes.items()}
        found["MD5"] = self._md5.digest()
        return {name: base64.b64encode(value).decode() for name, value in found.items()}


def new_name() -> str:
    """A data file's name below the root, in one of 256 folders."""
    name = uuid.uuid4().hex
    return f"{name[:2]}/{name}"


async def receive(root: Path, name: str, body: AsyncIterator[bytes], digest: Digest) -> None:
    """Write a stream to the file `name`; nothing is left of it if the stream or the disk fails."""
    buffer = bytearray()
    file: BinaryIO | None = None
    try:
        async for chunk in body:
            buffer += chunk
            if len(buffer) >= BUFFER:
                file = file or open_new(root, name)
                await asyncio.to_thread(_append, file, bytes(buffer), digest)
                buffer.clear()
        file = file or open_new(root, name)
        await asyncio.to_thread(_finish, file, bytes(buffer), digest)
    except BaseException as error:
        if file is not None:
            file.close()
        (root / name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise disk_error(error) from error
        raise


def copy_in(root: Path, name: str, chunks: Iterable[bytes], digest: Digest) -> None:
    """The same for chunks that are at hand."""
    try:
        with open_new(root, name) as file:
            for chunk in chunks:
                _append(file, chunk, digest)
            _finish(file, b"", digest)
    except BaseException as error:
        (root / name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise disk_error(error) from error
        raise


def open_new(root: Path, name: str) -> BinaryIO:
    return (root / name).open("xb")


def disk_error(error: OSError) -> ObjectsError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ObjectsError(
            "ServiceUnavailable", "The disk of this Clary is full: free some space and try again"
        )
    return ObjectsError("ServiceUnavailable", f"The disk of this Clary does not take it: {error.strerror}")


def _append(file: BinaryIO, data: bytes, digest: Digest) -> None:
    digest.update(data)
    file.write(data)


def _finish(file: BinaryIO, rest: bytes, digest: Digest) -> None:
    _append(file, rest, digest)
    file.flush()
    os.fsync(file.fileno())
    file.close()
    sync_folder(Path(file.name).parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
