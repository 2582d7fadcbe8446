"""Blobs: bytes under names that never change, and the way of a body into one, hashed as it passes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import uuid
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from awscrt import checksums

_CRC: Mapping[str, tuple[Callable[[bytes, int], int], int]] = {
    "CRC32": (zlib.crc32, 4),
    "CRC32C": (checksums.crc32c, 4),
    "CRC64NVME": (checksums.crc64nvme, 8),
}
_HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256}


class Writer(Protocol):
    """One blob on its way in. Nothing is there before `finish` returns; then it is whole and durable."""

    def append(self, data: bytes) -> None: ...
    def finish(self, rest: bytes) -> None: ...
    def abort(self) -> None:
        """Nothing is left of it; safe after anything."""


class Blobs(Protocol):
    """What the index of objects asks of a disk or an S3. Blocking; failures are ObjectsError."""

    piece: int
    """Bytes that a writer gets at once (`append`: exactly, `finish`: fewer)."""

    def writer(self, name: str) -> Writer: ...
    def read(self, name: str, start: int, length: int) -> Iterator[bytes]: ...
    def path(self, name: str) -> Path | None: ...
    def join(self, name: str, parts: Sequence[tuple[str, int]]) -> None:
        """One blob from others, given as (name, size), in order."""

    def delete(self, names: Sequence[str]) -> None:
        """What is not there is no error."""

    def sweep(self, names: Sequence[str]) -> None:
        """`delete` for blobs whose writers may have been killed."""


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
    """A blob's name, in one of 256 folders."""
    name = uuid.uuid4().hex
    return f"{name[:2]}/{name}"


async def receive(blobs: Blobs, name: str, body: AsyncIterator[bytes], digest: Digest) -> None:
    """A stream as the blob `name`; nothing is left of it if the stream or the store fails."""
    writer, buffer = blobs.writer(name), bytearray()
    try:
        async for chunk in body:
            buffer += chunk
            while len(buffer) >= blobs.piece:
                piece = bytes(buffer[: blobs.piece])
                del buffer[: blobs.piece]
                await asyncio.to_thread(_append, writer, piece, digest)
        await asyncio.to_thread(_finish, writer, bytes(buffer), digest)
    except BaseException:
        await asyncio.to_thread(writer.abort)
        raise


def copy_in(blobs: Blobs, name: str, chunks: Iterable[bytes], digest: Digest) -> None:
    """The same for pieces that are at hand, each of `blobs.piece` bytes but the last."""
    writer, last = blobs.writer(name), b""
    try:
        for chunk in chunks:
            if last:
                _append(writer, last, digest)
            last = chunk
        _finish(writer, last, digest)
    except BaseException:
        writer.abort()
        raise


def _append(writer: Writer, data: bytes, digest: Digest) -> None:
    digest.update(data)
    writer.append(data)


def _finish(writer: Writer, rest: bytes, digest: Digest) -> None:
    digest.update(rest)
    writer.finish(rest)
