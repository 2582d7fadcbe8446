"""The port to the database: records by kind and name, with tags. Knows no noun and no SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from clary.wire.errors import AwsError

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One resource: `body` keeps AWS's CamelCase, times in it are aware datetimes."""

    kind: str
    name: str
    arn: str
    body: Body
    created: datetime
    modified: datetime
    status: str = ""
    principal: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A page of one kind. `after` is the (sort value, name) of the last row of the page before."""

    kind: str
    limit: int = 100
    sort: str = "created"
    """One of created, modified, name, status."""
    descending: bool = False
    name_contains: str | None = None
    statuses: Sequence[str] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    matches: Mapping[str, str] = field(default_factory=dict)
    """Equal values of top-level string fields of the body."""
    after: tuple[str, str] | None = None


def micros(value: datetime) -> int:
    """Microseconds since the epoch: how times are kept, so that they sort and compare exactly."""
    return round(value.timestamp() * 1_000_000)


def sort_value(record: Record, sort: str) -> str:
    """The first half of `Query.after` for the page behind `record`."""
    value = getattr(record, sort)
    return str(micros(value)) if isinstance(value, datetime) else str(value)


class AlreadyExists(Exception):
    """A record of that kind and name is there."""


class NotFound(Exception):
    """No record of that kind and name."""


class Unavailable(AwsError):
    """The database is away, or takes nothing now: the same call may work later."""

    def __init__(self, why: str) -> None:
        super().__init__("ServiceUnavailable", f"Clary's database cannot be used now: {why}. Try again", 503)


class Store(Protocol):
    """What is acknowledged is on the disk: each call is one durable transaction. Thread-safe.

    Any call may raise Unavailable.
    """

    def insert(self, record: Record, tags: Mapping[str, str] | None = None) -> None:
        """Add a record with its tags; AlreadyExists if kind and name are taken."""

    def get(self, kind: str, name: str) -> Record | None: ...

    def update(self, kind: str, name: str, change: Callable[[Record], Record]) -> Record:
        """Apply `change` to the present record in one transaction (it may raise to refuse); NotFound.

        It may change the body, the status and `modified`; the rest of a record is for ever.
        """

    def find(self, arn: str) -> Record | None: ...

    def delete(self, kind: str, name: str) -> Record:
        """Remove a record and its tags; NotFound. Answers what was removed."""

    def query(self, query: Query) -> list[Record]: ...

    def tags(self, arn: str) -> dict[str, str]: ...

    def tag(self, arn: str, tags: Mapping[str, str]) -> dict[str, str]:
        """Add or overwrite a record's tags; answers all of them. NotFound."""

    def untag(self, arn: str, keys: Sequence[str]) -> None: ...

    def close(self) -> None: ...
