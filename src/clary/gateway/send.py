"""Writes a response to the wire: bytes, a piece of a file, or a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from email.utils import formatdate
from typing import Any

from clary.gateway.payload import Upload
from clary.wire.body import FileRange
from clary.wire.serialise import Payload, Response

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
CHUNK = 1024 * 1024
SMALL = 256 * 1024
BODILESS = (204, 304)
"""A byte behind these would be taken for the beginning of the next answer."""


async def response(
    send: Send, response: Response, request_id: str, further: Mapping[str, str], upload: Upload
) -> None:
    if response.status in BODILESS:
        return await head(send, response, request_id, further)
    await _start(send, response, request_id, further)
    if isinstance(response.body, bytes):
        if not upload.abandoned:
            return await _end(send, response.body)
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        await upload.linger()
        return await _end(send)
    # Nobody shall read ten gigabytes for a client that has gone away.
    gone = asyncio.create_task(upload.disconnected())
    try:
        async for chunk in _chunks(response.body):
            if gone.done():
                return None
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        gone.cancel()
    return await _end(send)


async def head(send: Send, response: Response, request_id: str, further: Mapping[str, str]) -> None:
    """The same without the body, whatever it is."""
    await _start(send, response, request_id, further)
    await _end(send)


async def _start(send: Send, response: Response, request_id: str, further: Mapping[str, str]) -> None:
    headers = {**further, **response.headers, "x-amzn-requestid": request_id, "x-amz-request-id": request_id}
    names = {name.lower() for name in headers}
    if "date" not in names:
        headers["date"] = formatdate(usegmt=True)
    length = _length(response.body)
    if length is not None and "content-length" not in names and response.status not in BODILESS:
        headers["content-length"] = str(length)
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})


async def _end(send: Send, rest: bytes = b"") -> None:
    await send({"type": "http.response.body", "body": rest, "more_body": False})


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
