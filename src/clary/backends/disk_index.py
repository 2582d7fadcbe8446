"""The index of objects on disk: one SQLite file says which data file is which object."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clary.ports.objects import Meta

_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (
  name TEXT PRIMARY KEY, created REAL NOT NULL, region TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS objects (
  bucket TEXT NOT NULL, key TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
  modified REAL NOT NULL, meta TEXT NOT NULL, file TEXT NOT NULL,
  PRIMARY KEY (bucket, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
  id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, started REAL NOT NULL,
  meta TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS parts (
  upload TEXT NOT NULL, number INTEGER NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL,
  modified REAL NOT NULL, checksums TEXT NOT NULL, file TEXT NOT NULL,
  PRIMARY KEY (upload, number)) STRICT, WITHOUT ROWID;
"""


class Index:
    """A connection a thread; writes are immediate transactions, so that what is read in one still holds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._connection().executescript(_SCHEMA)

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        return self._connection().execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._connection().execute(sql, values).fetchone()
        return found

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self._path, timeout=60, isolation_level=None, check_same_thread=False
            )
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            self._local.connection = connection
        return connection


def write_meta(meta: Meta) -> str:
    content = {
        "headers": dict(meta.headers),
        "user": dict(meta.user),
        "tags": dict(meta.tags),
        "checksums": dict(meta.checksums),
        "checksum_type": meta.checksum_type,
    }
    return json.dumps({name: value for name, value in content.items() if value}, separators=(",", ":"))


def read_meta(text: str) -> Meta:
    return Meta(**json.loads(text))


def time_of(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
