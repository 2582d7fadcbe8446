"""A request's body: read whole within a limit, or streamed and checked against what the signature covers."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from clary.wire import chunked, sigv4
from clary.wire.body import Body
from clary.wire.errors import AwsError
from clary.wire.request import Request

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

CONTROL_LIMIT = 8 * 1024 * 1024
"""Bytes of a control-plane request; the largest real one is a DeleteObjects of 1,000 long keys."""
OBJECT_LIMIT = 5 * 1024**3
"""Bytes of one PUT or part, as S3 has it."""


async def whole(request: Request, receive: Receive, limit: int) -> bytes:
    """The body as bytes; AwsError RequestEntityTooLarge without reading on when it is above `limit`."""
    declared = _declared_length(request)
    if declared is not None and declared > limit:
        raise _too_large(limit)
    found = bytearray()
    async for chunk in _raw(receive):
        found += chunk
        if len(found) > limit:
            raise _too_large(limit)
    if declared is not None and len(found) != declared:
        raise _incomplete()
    return bytes(found)


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def stream(request: Request, receive: Receive, signature: sigv4.Signature, secret: str) -> Body:
    """S3's payload as it comes: aws-chunked is decoded, the declared hash and length are checked."""
    declared = request.headers.get("x-amz-content-sha256", sigv4.UNSIGNED)
    if declared.startswith("STREAMING-"):
        return _chunked(request, receive, signature, secret, declared)
    length = _declared_length(request)
    if length is not None and length > OBJECT_LIMIT:
        raise AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size", 400)
    digest = None if declared == sigv4.UNSIGNED else declared
    return Body(_checked(_raw(receive), length, digest), length)


def _chunked(
    request: Request, receive: Receive, signature: sigv4.Signature, secret: str, declared: str
) -> Body:
    text = request.headers.get("x-amz-decoded-content-length", "")
    if not text.isdigit():
        raise AwsError(
            "MissingContentLength", "You must provide the X-Amz-Decoded-Content-Length header", 411
        )
    signer = None
    if declared.startswith("STREAMING-AWS4-HMAC-SHA256"):
        key = sigv4.signing_key(secret, signature.date, signature.region, signature.service)
        signer = chunked.Signer(key, signature.timestamp, signature.scope, signature.signature)
    decoder = chunked.AwsChunked(signer, trailer=declared.endswith("-TRAILER"))
    trailers: dict[str, str] = {}
    names = request.headers.get("x-amz-trailer", "").lower().split(",")
    announced = frozenset(name.strip() for name in names if name.strip())
    return Body(_decoded(_raw(receive), decoder, trailers, int(text)), int(text), trailers, announced)


async def _decoded(
    raw: AsyncIterator[bytes], decoder: chunked.AwsChunked, trailers: dict[str, str], length: int
) -> AsyncIterator[bytes]:
    count = 0
    async for data in raw:
        piece = decoder.feed(data)
        count += len(piece)
        if piece:
            yield piece
    trailers.update(decoder.finish())
    if count != length:
        raise _incomplete()


async def _checked(raw: AsyncIterator[bytes], length: int | None, digest: str | None) -> AsyncIterator[bytes]:
    seen, count = hashlib.sha256(), 0
    async for chunk in raw:
        count += len(chunk)
        if digest is not None:
            seen.update(chunk)
        yield chunk
    if length is not None and count != length:
        raise _incomplete()
    if digest is not None and seen.hexdigest() != digest:
        raise AwsError(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )


async def _raw(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _incomplete()
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return


def _declared_length(request: Request) -> int | None:
    text = request.headers.get("content-length", "")
    return int(text) if text.isdigit() else None


def _incomplete() -> AwsError:
    return AwsError(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header.",
    )


def _too_large(limit: int) -> AwsError:
    return AwsError("RequestEntityTooLarge", f"The request is larger than {limit} bytes", 413)
