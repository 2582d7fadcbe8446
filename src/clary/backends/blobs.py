"""Blobs: bytes under names that never change, and the way of a body into one, hashed as it passes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from clary.wire.checksums import Digest


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
