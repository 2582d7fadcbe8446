"""A request's body: read whole within a limit, or streamed and checked against what the signature covers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from clary.wire import checksums, chunked, sigv4
from clary.wire.body import Body
from clary.wire.errors import AwsError
from clary.wire.request import Request

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

CONTROL_LIMIT = 8 * 1024 * 1024
"""Bytes of a control-plane request; the largest real one is a DeleteObjects of 1,000 long keys."""
SIGN_IN_LIMIT = 64 * 1024
"""Bytes of a request that nobody has signed."""
OBJECT_LIMIT = 5 * 1024**3
"""Bytes of one PUT or part, as S3 has it."""
IDLE_SECONDS = 60.0
"""How long a client may be silent in the middle of its body."""
IGNORED_BYTES = 1024 * 1024
"""Of an unread body: as much is passed over, so that the connection can be used again."""
LINGER_SECONDS = 5.0
LINGER_BYTES = 64 * 1024 * 1024
_PAYLOADS = frozenset(
    {
        sigv4.UNSIGNED,
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    }
)


class Upload:
    """A request's body as it comes. It knows whether it was read to its end."""

    def __init__(self, request: Request, receive: Receive) -> None:
        self._receive = receive
        self.length = _declared_length(request)
        self._left = bool(self.length) or "transfer-encoding" in request.headers
        self._silent = False
        self._waits = request.headers.get("expect", "").lower() == "100-continue"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """AwsError IncompleteBody for a client that went away, RequestTimeout for a silent one."""
        while self._left:
            self._waits = False
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    message = await self._receive()
            except TimeoutError as error:
                self._silent = True
                raise AwsError(
                    "RequestTimeout",
                    "Your socket connection to the server was not read from or written to within the timeout "
                    "period. Idle connections will be closed.",
                ) from error
            self._left = bool(message.get("more_body"))
            if message["type"] == "http.disconnect":
                raise _incomplete()
            if message.get("body"):
                yield message["body"]

    @property
    def abandoned(self) -> bool:
        """Whether so much of it is unread, or will never come, that the connection is of no more use."""
        much = self.length is None or self.length > IGNORED_BYTES
        return self._left and (much or self._silent or self._waits)

    async def disconnected(self) -> None:
        """Comes back when the client has gone away; to be awaited when the body is no matter any more."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def linger(self) -> None:
        """Let the client write on for a while, so that it comes to read the answer before the end."""
        if self._waits:
            return
        try:
            async with asyncio.timeout(0 if self._silent else LINGER_SECONDS):
                passed = 0
                async for chunk in self:
                    passed += len(chunk)
                    if passed > LINGER_BYTES:
                        return
        except (TimeoutError, AwsError):
            pass


async def whole(upload: Upload, limit: int) -> bytes:
    """The body as bytes; AwsError RequestEntityTooLarge without reading on when it is above `limit`."""
    if upload.length is not None and upload.length > limit:
        raise _too_large(limit)
    found = bytearray()
    async for chunk in upload:
        found += chunk
        if len(found) > limit:
            raise _too_large(limit)
    if upload.length is not None and len(found) != upload.length:
        raise _incomplete()
    return bytes(found)


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def stream(request: Request, upload: Upload, signature: sigv4.Signature, secret: str) -> Body:
    """S3's payload as it comes: aws-chunked is decoded, the declared hash and length are checked."""
    declared = request.headers.get("x-amz-content-sha256", sigv4.UNSIGNED)
    if declared not in _PAYLOADS and not sigv4.is_digest(declared):
        raise AwsError(
            "InvalidArgument",
            f"x-amz-content-sha256 must be {', '.join(sorted(_PAYLOADS))} or a valid sha256 value.",
        )
    if declared.startswith("STREAMING-"):
        return _chunked(request, upload, signature, secret, declared)
    if upload.length is not None and upload.length > OBJECT_LIMIT:
        raise _object_too_large()
    digest = None if declared == sigv4.UNSIGNED else declared
    return Body(_checked(upload, digest), upload.length)


def _chunked(
    request: Request, upload: Upload, signature: sigv4.Signature, secret: str, declared: str
) -> Body:
    length = _number(request.headers.get("x-amz-decoded-content-length", ""))
    if length is None:
        raise AwsError(
            "MissingContentLength", "You must provide the X-Amz-Decoded-Content-Length header", 411
        )
    if length > OBJECT_LIMIT:
        raise _object_too_large()
    signer = None
    if declared.startswith("STREAMING-AWS4-HMAC-SHA256"):
        key = sigv4.signing_key(secret, signature.date, signature.region, signature.service)
        signer = chunked.Signer(key, signature.timestamp, signature.scope, signature.signature)
    decoder = chunked.AwsChunked(signer, trailer=declared.endswith("-TRAILER"))
    trailers: dict[str, str] = {}
    names = request.headers.get("x-amz-trailer", "").lower().split(",")
    announced = frozenset(name.strip() for name in names if name.strip())
    return Body(_decoded(upload, decoder, trailers, length), length, trailers, announced)


async def _decoded(
    upload: Upload, decoder: chunked.AwsChunked, trailers: dict[str, str], length: int
) -> AsyncIterator[bytes]:
    count = 0
    async for data in upload:
        piece = decoder.feed(data)
        count += len(piece)
        if count > length:
            raise _incomplete()
        if piece:
            yield piece
    trailers.update(decoder.finish())
    if count != length:
        raise _incomplete()


async def _checked(upload: Upload, digest: str | None) -> AsyncIterator[bytes]:
    seen, count = hashlib.sha256(), 0
    async for chunk in upload:
        count += len(chunk)
        if count > OBJECT_LIMIT:
            raise _object_too_large()
        if digest is not None:
            seen.update(chunk)
        yield chunk
    if upload.length is not None and count != upload.length:
        raise _incomplete()
    if digest is not None and seen.hexdigest() != digest:
        raise AwsError(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )


def check_digests(request: Request, trailers: Mapping[str, str], content: bytes) -> None:
    """AwsError BadDigest where a body that was read whole has not the Content-MD5 or checksum declared."""
    headers = {**request.headers, **trailers}
    names = {f"x-amz-checksum-{name.lower()}": name for name in checksums.ALGORITHMS}
    declared = {names[header]: value for header, value in headers.items() if header in names}
    digest = checksums.Digest(tuple(declared))
    digest.update(content)
    computed = digest.values()
    checksums.compare(declared, computed)
    checksums.compare({"MD5": headers["content-md5"]} if "content-md5" in headers else {}, computed)


def _declared_length(request: Request) -> int | None:
    return _number(request.headers.get("content-length", ""))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _incomplete() -> AwsError:
    return AwsError(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header.",
    )


def _object_too_large() -> AwsError:
    return AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size", 400)


def _too_large(limit: int) -> AwsError:
    return AwsError("RequestEntityTooLarge", f"The request is larger than {limit} bytes", 413)
