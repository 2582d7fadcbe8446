"""Writes a response to the wire: bytes, a piece of a file, or a stream."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    MutableMapping,
)
from email.utils import formatdate
from typing import Any

from clary.wire.body import FileRange
from clary.wire.serialise import Payload, Response

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
CHUNK = 1024 * 1024
SMALL = 256 * 1024
BODILESS = (204, 304)
"""A byte behind these would be taken for the beginning of the next answer."""


async def response(
    send: Send,
    response: Response,
    request_id: str,
    further: Mapping[str, str],
    head: bool = False,
    linger: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """`linger` is awaited when all is written, before the connection is given up."""
    headers = {**further, **response.headers, "x-amzn-requestid": request_id, "x-amz-request-id": request_id}
    names = {name.lower() for name in headers}
    if "date" not in names:
        headers["date"] = formatdate(usegmt=True)
    length = _length(response.body)
    if length is not None and "content-length" not in names and response.status not in BODILESS:
        headers["content-length"] = str(length)
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    if not head and response.status not in BODILESS:
        async for chunk in _chunks(response.body):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    if linger is not None:
        await linger()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _length(body: Payload) -> int | None:
    if isinstance(body, bytes):
        return len(body)
    return body.length if isinstance(body, FileRange) else None


async def _chunks(body: FileRange | Iterator[bytes] | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(body, FileRange):
        async for chunk in _file(body):
            yield chunk
    elif isinstance(body, Iterator):
        while (item := await asyncio.to_thread(next, body, None)) is not None:
            yield item
    else:
        async for chunk in body:
            yield chunk


async def _file(body: FileRange) -> AsyncIterator[bytes]:
    left = body.length
    # The file stays readable while it is open, even if the object is replaced meanwhile.
    with body.path.open("rb") as file:
        file.seek(body.start)
        while left > 0:
            size = min(left, CHUNK)
            chunk = file.read(size) if left <= SMALL else await asyncio.to_thread(file.read, size)
            if not chunk:
                raise RuntimeError(f"{body.path} is shorter than it should be")
            left -= len(chunk)
            yield chunk
