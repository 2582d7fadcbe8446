"""Bodies that stream: what a client sends, and a piece of a file to send back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from clary.wire.errors import AwsError


class Body:
    """A request's payload, decoded; the iterator raises AwsError where it is cut short or breaks its hash."""

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        length: int | None,
        trailers: dict[str, str] | None = None,
        announced: frozenset[str] = frozenset(),
    ) -> None:
        self._chunks = chunks
        self.length = length
        """Payload bytes as the client declared them, None where it did not."""
        self.trailers = trailers if trailers is not None else {}
        """Lower-case trailing headers of an aws-chunked body, there when the iterator is exhausted."""
        self.announced = announced
        """Lower-case names of the trailers that the client said would come (x-amz-trailer)."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks

    async def read(self, limit: int) -> bytes:
        """The whole payload; AwsError EntityTooLarge (413) above `limit` bytes."""
        if self.length is not None and self.length > limit:
            raise _too_large(limit)
        found = bytearray()
        async for chunk in self._chunks:
            found += chunk
            if len(found) > limit:
                raise _too_large(limit)
        return bytes(found)


@dataclass(frozen=True, slots=True)
class FileRange:
    """`length` bytes of a file from `start` on."""

    path: Path
    start: int
    length: int


def _too_large(limit: int) -> AwsError:
    return AwsError("EntityTooLarge", f"Your request is larger than the limit of {limit} bytes", 413)
