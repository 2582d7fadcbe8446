"""The index of objects: one SQLite file says which blob is which object."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from clary.backends.durable import make_folder
from clary.ports.objects import Meta, Object, Part, Upload
from clary.settings import SettingsError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (
  name TEXT PRIMARY KEY, created REAL NOT NULL, region TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS objects (
  bucket TEXT NOT NULL, key TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
  modified REAL NOT NULL, meta TEXT NOT NULL, file TEXT NOT NULL,
  PRIMARY KEY (bucket, key)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_by_file ON objects (file);
CREATE TABLE IF NOT EXISTS uploads (
  id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, started REAL NOT NULL,
  meta TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS parts (
  upload TEXT NOT NULL, number INTEGER NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL,
  modified REAL NOT NULL, checksums TEXT NOT NULL, file TEXT NOT NULL,
  PRIMARY KEY (upload, number)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS loose (file TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS place (name TEXT NOT NULL) STRICT;
INSERT INTO place SELECT 'this disk' WHERE NOT EXISTS (SELECT 1 FROM place);
"""


class Index:
    """A connection a thread; writes are immediate transactions, so that what is read in one still holds."""

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        self._path = path
        self._local = threading.local()
        self._connection().executescript(_SCHEMA)

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        return self._connection().execute(sql, values).fetchall()

    def each(self, sql: str, *values: Any) -> Iterator[sqlite3.Row]:
        """Row by row, as they are asked for."""
        return self._connection().execute(sql, values)

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

    def settle(self, place: str) -> None:
        """Write down where the blobs are; SettingsError where there are some elsewhere."""
        with self.write() as connection:
            found = self.row("SELECT name FROM place WHERE name != ?", place)
            if found is None:
                return
            if self.row("SELECT 1 FROM buckets LIMIT 1"):
                raise SettingsError(
                    f"the objects of this home are kept by: {found['name']}, not by: {place}. Start "
                    "it with the setting `objects` as it was, or take another home"
                )
            connection.execute("UPDATE place SET name = ?", (place,))
            connection.execute("DELETE FROM loose")

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


def write_meta(meta: Meta, part_sizes: Sequence[int] = (), upload: str = "") -> str:
    content = {
        "headers": dict(meta.headers),
        "user": dict(meta.user),
        "tags": dict(meta.tags),
        "checksums": dict(meta.checksums),
        "checksum_type": meta.checksum_type,
        # Runs of one size, for nearly all parts of an upload have the same.
        "parts": [(size, len(list(run))) for size, run in groupby(part_sizes)],
        "upload": upload,
    }
    return json.dumps({name: value for name, value in content.items() if value}, separators=(",", ":"))


def read_meta(text: str) -> Meta:
    content = json.loads(text)
    return Meta(**{name: value for name, value in content.items() if name not in ("parts", "upload")})


def object_of(row: sqlite3.Row) -> Object:
    content = json.loads(row["meta"])
    sizes = [size for size, count in content.pop("parts", ()) for _ in range(count)]
    upload = content.pop("upload", "")
    modified = time_of(row["modified"])
    return Object(
        row["bucket"],
        row["key"],
        row["size"],
        row["etag"],
        modified,
        Meta(**content),
        blob=row["file"],
        part_sizes=sizes,
        upload=upload,
    )


def upload_of(row: sqlite3.Row) -> Upload:
    return Upload(row["id"], row["bucket"], row["key"], time_of(row["started"]), read_meta(row["meta"]))


def part_of(row: sqlite3.Row) -> Part:
    checksums = read_meta(row["checksums"]).checksums
    return Part(row["number"], row["etag"], row["size"], time_of(row["modified"]), checksums)


def time_of(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
