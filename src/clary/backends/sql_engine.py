"""The connection to SQLite or PostgreSQL: URLs, drivers, transactions, JSON, and a database that is away."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError

from clary.ports.records import Unavailable
from clary.settings import SettingsError

CONNECT_SECONDS = 5
POSTGRES = "postgresql+psycopg"
_DRIVERS = {"sqlite": "sqlite", "postgres": POSTGRES, "postgresql": POSTGRES, POSTGRES: POSTGRES}


def connect(text: str) -> sa.Engine:
    """An engine for a URL as users write it; SettingsError for one that cannot be used."""
    url = _url(text)
    json_ = {"json_serializer": encode, "json_deserializer": decode}
    if url.drivername == "sqlite":
        engine = sa.create_engine(url, **json_, pool_size=32, max_overflow=64)
        sa.event.listen(engine, "connect", _sqlite_connect)
        sa.event.listen(engine, "begin", _sqlite_begin)
    else:
        engine = _postgres(url, json_)
    sa.event.listen(engine, "handle_error", _translate)
    return engine


def _url(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError) as error:
        raise SettingsError(
            f"database must be a URL such as postgresql://USER@HOST/NAME, not {text!r}"
        ) from error
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise SettingsError(
            f"database: {url.drivername} is not built in Clary; use postgresql:// or sqlite:///"
        )
    if driver == "sqlite" and url.database in (None, "", ":memory:"):
        raise SettingsError("database: sqlite needs a file, such as sqlite:////var/lib/clary/records.db")
    return url.set(drivername=driver)


def _postgres(url: sa.URL, json_: dict[str, Any]) -> sa.Engine:
    waiting = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS}
    try:
        return sa.create_engine(
            url, **json_, pool_size=16, max_overflow=48, pool_pre_ping=True, connect_args=waiting
        )
    except ImportError as error:
        raise SettingsError(
            "database: PostgreSQL needs the extra `postgres`: pip install 'clary[postgres]'"
        ) from error


def _translate(context: sa.ExceptionContext) -> None:
    """What a caller may try again is told apart from what is wrong with the call."""
    error = context.original_exception
    # SQLite has no kind of its own for a statement that is wrong.
    wrong = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    kinds = OperationalError | InterfaceError
    away = context.is_disconnect or (isinstance(context.sqlalchemy_exception, kinds) and not wrong)
    if away and not context.is_pre_ping:
        raise Unavailable((str(error).strip() or type(error).__name__).splitlines()[0])


def _sqlite_connect(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the transaction begins where `_sqlite_begin` says
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def encode(value: Any) -> str:
    return json.dumps(_escaped(value), default=_encode_time, separators=(",", ":"))


def _escaped(value: Any) -> Any:
    """A `$` more before keys that begin with one: a user's {"$time": ...} is not a time."""
    if isinstance(value, dict):
        return {f"${key}" if key.startswith("$") else key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list) else value


def _encode_time(value: Any) -> dict[str, str]:
    if isinstance(value, datetime):
        return {"$time": value.astimezone(UTC).isoformat()}
    raise TypeError(f"{type(value).__name__} does not belong in a record")


def decode(text: str) -> Any:
    return json.loads(text, object_hook=_decode_time)


def _decode_time(value: dict[str, Any]) -> Any:
    if value.keys() == {"$time"}:
        return datetime.fromisoformat(value["$time"])
    return {key.removeprefix("$"): item for key, item in value.items()}
