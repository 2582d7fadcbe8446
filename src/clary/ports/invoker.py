"""The port to a model's worker: send one request over its socket, get its reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Reply:
    """`headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class WorkerUnreachable(Exception):
    """The worker has not read the whole request, so it has not begun with it: it may be sent again."""


class WorkerLost(Exception):
    """The connection ended before the whole reply was there; the request may have been carried out."""


class WorkerTimeout(Exception):
    """The worker did not answer in time; it may still be at it."""


class Invoker(Protocol):
    async def invoke(self, socket: Path, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """POST /invocations. WorkerUnreachable, WorkerLost or WorkerTimeout; any HTTP status is a reply.

        A request that may have been carried out is never sent a second time.
        """

    def ping(self, socket: Path, timeout: float) -> bool:
        """Whether GET /ping answers 200 within `timeout` seconds. Blocks; for the lifecycle's threads."""

    async def close(self) -> None: ...
