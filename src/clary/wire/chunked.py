"""The aws-chunked content encoding: bytes of the wire in, payload out, trailers at the end.

Source: S3's "Signature calculations: transferring payload in multiple chunks", with and without trailers.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from clary.wire.errors import AwsError

MAX_LINE = 8192
_HEADER = re.compile(rb"([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?")
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass
class Signer:
    """The running signature of a signed stream: each chunk's covers the one before."""

    key: bytes
    timestamp: str
    scope: str
    previous: str

    def check(self, kind: str, digest: str, signature: str) -> None:
        """`digest` is the SHA-256 of the content."""
        middle = f"{_EMPTY}\n{digest}" if kind == "PAYLOAD" else digest
        text = f"AWS4-HMAC-SHA256-{kind}\n{self.timestamp}\n{self.scope}\n{self.previous}\n{middle}"
        right = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right, signature):
            raise AwsError(
                "SignatureDoesNotMatch", "The signature of a chunk does not match its content", 403
            )
        self.previous = right


class AwsChunked:
    """Incremental decoder. `signer` is None for an unsigned stream, `trailer` says that trailers follow."""

    def __init__(self, signer: Signer | None = None, trailer: bool = False) -> None:
        self._signer = signer
        self._trailer = trailer
        self._buffer = bytearray()
        self._left: int | None = None
        """Payload bytes of the chunk that are still to come, None between chunks."""
        self._hash = hashlib.sha256()
        self._signature = ""
        self._ended = False

    def feed(self, data: bytes) -> bytes:
        """Payload in `data`. A wrong signature shows at its chunk's end: nothing counts before `finish`."""
        self._buffer += data
        out = bytearray()
        while not self._ended and self._advance(out):
            pass
        if self._ended and len(self._buffer) > MAX_LINE:
            raise _broken("the trailers are too long")
        return bytes(out)

    def finish(self) -> dict[str, str]:
        """Trailers by lower-case name; AwsError IncompleteBody if the last chunk never came."""
        if not self._ended:
            raise AwsError("IncompleteBody", "The request body terminated unexpectedly")
        lines = [line for line in bytes(self._buffer).split(b"\r\n") if line]
        trailers = {}
        for line in lines:
            name, _, value = line.partition(b":")
            trailers[name.decode("latin-1").strip().lower()] = value.decode("latin-1").strip()
        signature = trailers.pop("x-amz-trailer-signature", "")
        if self._signer is not None and self._trailer:
            content = "".join(f"{name}:{value}\n" for name, value in sorted(trailers.items()))
            self._signer.check("TRAILER", hashlib.sha256(content.encode()).hexdigest(), signature)
        return trailers

    def _advance(self, out: bytearray) -> bool:
        return self._header() if self._left is None else self._payload(out)

    def _header(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > MAX_LINE:
                raise _broken("a chunk header is too long")
            return False
        found = _HEADER.fullmatch(bytes(self._buffer[:end]))
        if found is None or (self._signer is not None and found[2] is None):
            raise _broken("a chunk header cannot be read")
        del self._buffer[: end + 2]
        self._signature = found[2].decode() if found[2] else ""
        self._left = int(found[1], 16)
        if self._left == 0:
            self._check()
            self._ended = True
        return True

    def _payload(self, out: bytearray) -> bool:
        assert self._left is not None
        piece = self._buffer[: self._left]
        del self._buffer[: len(piece)]
        self._left -= len(piece)
        out += piece
        if self._signer is not None:
            self._hash.update(piece)
        if self._left or len(self._buffer) < 2:
            return False
        if self._buffer[:2] != b"\r\n":
            raise _broken("a chunk is longer than its header says")
        del self._buffer[:2]
        self._check()
        self._left = None
        return True

    def _check(self) -> None:
        if self._signer is not None:
            self._signer.check("PAYLOAD", self._hash.hexdigest(), self._signature)
            self._hash = hashlib.sha256()


def _broken(what: str) -> AwsError:
    return AwsError("InvalidRequest", f"The aws-chunked body is malformed: {what}")
