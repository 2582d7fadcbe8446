"""What clients were told: the truth that a server must still know after it was killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from botocore.exceptions import ConnectionClosedError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NoConnection

Value = TypeVar("Value")
DEAD = (NoConnection, HTTPClientError, IncompleteReadError)
"""How a client sees that the server is gone."""


def client(clary: Any, service: str) -> Any:
    """A boto3 client that calls once, and to which half an answer is none (botocore takes it for empty)."""
    made = clary.client(service, retries=0)

    def whole(response_dict: dict[str, Any] | None, **_: Any) -> None:
        found = response_dict or {"headers": {}, "body": None}
        length, body = found["headers"].get("content-length", "0"), found["body"]
        if isinstance(body, bytes) and len(body) < int(length):
            raise ConnectionClosedError(endpoint_url=clary.url)

    made.meta.events.register("response-received", whole)
    return made


class ServerGone(Exception):
    """The server was killed while a call was under way: it may have done it or not."""


@contextmanager
def lost_if_dead() -> Iterator[None]:
    try:
        yield
    except DEAD as error:
        raise ServerGone from error


class Ledger(Generic[Value]):
    """The acknowledged value of each key (None: not there), and what a call under way would make of it."""

    def __init__(self) -> None:
        self.known: dict[str, Value | None] = {}
        self.wished: dict[str, Value | None] = {}

    @contextmanager
    def write(self, wishes: dict[str, Value | None]) -> Iterator[None]:
        """A call that gives keys new values: acknowledged if it returns, open if the server is gone."""
        self.wished.update(wishes)
        with lost_if_dead():
            yield
        for key in wishes:
            self.known[key] = self.wished.pop(key)

    def settle(self, key: str, found: Value | None) -> None:
        """Compare what is there with what must be: a call that was cut short is done or not, for good."""
        known = self.known.get(key)
        allowed = [known, self.wished.pop(key)] if key in self.wished else [known]
        assert found in allowed, f"{key}: found {found}, expected one of {allowed}"
        self.known[key] = found

    def there(self) -> dict[str, Value]:
        return {key: value for key, value in self.known.items() if value is not None}
