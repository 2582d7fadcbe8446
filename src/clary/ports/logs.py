"""The port to job logs: groups, streams and lines, as CloudWatch Logs counts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stream:
    name: str
    created_ms: int
    first_event_ms: int | None
    last_event_ms: int | None
    bytes: int


@dataclass(frozen=True, slots=True)
class Line:
    timestamp_ms: int
    message: str
    offset: int
    """Byte offset of the line in its stream."""
    end: int
    """Byte offset behind the line."""


class Logs(Protocol):
    def file(self, group: str, stream: str) -> Path:
        """The file that a program's output goes to; its folder is made."""

    def groups(self, prefix: str = "") -> Sequence[str]: ...

    def streams(self, group: str, prefix: str = "") -> Sequence[Stream]:
        """In order of name; empty for an unknown group."""

    def lines(self, group: str, stream: str, offset: int, limit: int) -> Sequence[Line]:
        """Up to `limit` whole lines from byte `offset` on."""

    def lines_before(self, group: str, stream: str, offset: int | None, limit: int) -> Sequence[Line]:
        """Up to `limit` whole lines that end at or before `offset` (None: the end), oldest first."""

    def delete(self, group: str) -> None: ...
