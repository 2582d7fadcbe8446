"""One call of a model: what comes in, what goes out, and the errors that are the caller's."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Invocation:
    """`content_type` is lower case and without parameters; `headers` have lower-case names."""

    body: bytes
    content_type: str
    accept: str
    """The Accept header as it came, empty where there was none."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The body as UTF-8; ClientError for other bytes."""
        try:
            return self.body.decode()
        except UnicodeDecodeError as error:
            raise ClientError(400, f"The {self.content_type} body is not UTF-8: {error}") from error


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Served:
    """A loaded model: how it answers, and how many calls it may answer at once."""

    answer: Callable[[Invocation], Answer]
    what: str
    threads: int = 1


class ClientError(Exception):
    """The caller's mistake: an HTTP status of 4xx and a message that says what is expected."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class ModelFault(Exception):
    """The model's mistake, found by what asks it: a status of 500 with the message as it is."""


class CannotServe(Exception):
    """The archive or the settings hold nothing that can be served; the message says what is expected."""


def concurrency() -> int:
    """Calls at once for models that are known to bear it: as many as there are cores."""
    return max(1, os.cpu_count() or 1)


def media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def choose_accept(header: str, supported: Sequence[str], default: str) -> str:
    """The first type of an Accept header that is supported; ClientError 406 where there is none."""
    wanted = [media_type(item) for item in header.split(",") if item.strip()]
    for item in wanted or ["*/*"]:
        if item == "*/*":
            return default
        if item in supported:
            return item
        family = item.removesuffix("*")
        if item.endswith("/*") and any(name.startswith(family) for name in supported):
            return next(name for name in supported if name.startswith(family))
    raise ClientError(406, f"Accept {header!r} is not supported; ask for one of {', '.join(supported)}")


def unsupported(content_type: str, supported: Sequence[str]) -> ClientError:
    return ClientError(
        415, f"Content type {content_type!r} is not supported; send one of {', '.join(supported)}"
    )
