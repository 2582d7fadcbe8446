"""Blobs that no object names: not yet, because they are being written, or no longer.

Their names are written down before their bytes are, so that whatever a killed server leaves behind is found
and removed at the next start, without a look at what else the disk or the S3 holds.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from clary.backends.blobs import Blobs, new_name
from clary.backends.objects_index import Index
from clary.ports.objects import ObjectsError

BATCH = 64
"""Names that are written down, or crossed out, in one transaction."""
log = logging.getLogger("clary.objects")


class Loose:
    """The names, and which blobs are being read: those are deleted after their last reader is done."""

    def __init__(self, index: Index, blobs: Blobs) -> None:
        self._index = index
        self._blobs = blobs
        self._guard = threading.RLock()
        self._fresh: list[str] = []
        self._deleted: list[str] = []
        self._readers: Counter[str] = Counter()
        self._waiting: set[str] = set()
        self._sweep()

    def fresh(self) -> str:
        """The name of a blob to write."""
        with self._guard:
            if not self._fresh:
                names = [new_name() for _ in range(BATCH)]
                with self._index.write() as connection:
                    connection.executemany("INSERT INTO loose VALUES (?)", [(name,) for name in names])
                self._fresh = names
            return self._fresh.pop()

    def keep(self, connection: sqlite3.Connection, name: str) -> None:
        """A row of this transaction names the blob."""
        connection.execute("DELETE FROM loose WHERE file = ?", (name,))

    def drop(self, connection: sqlite3.Connection, names: Sequence[str]) -> Sequence[str]:
        """Rows of this transaction name the blobs no longer; those that no other does, for `delete`."""
        named = "SELECT 1 FROM objects WHERE file = ?"
        gone = [name for name in names if connection.execute(named, (name,)).fetchone() is None]
        connection.executemany("INSERT OR IGNORE INTO loose VALUES (?)", [(name,) for name in gone])
        return gone

    def delete(self, names: Sequence[str]) -> None:
        """After the transaction. Where the store does not answer, the next start tries again."""
        with self._guard:
            self._waiting.update(name for name in names if self._readers[name])
            free = [name for name in names if name not in self._waiting]
        try:
            if free:
                self._blobs.delete(free)
                self._cross_out(free)
        except ObjectsError as error:
            log.warning("%d blobs are to be deleted at the next start: %s", len(free), error)

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        with self._guard:
            self._readers[name] += 1
        try:
            yield
        finally:
            self._done(name)

    def _done(self, name: str) -> None:
        with self._guard:
            self._readers[name] -= 1
            last = not self._readers[name]
            if last:
                del self._readers[name]
            over = last and name in self._waiting
            self._waiting.discard(name) if over else None
        if over:
            self.delete([name])

    def _cross_out(self, names: Sequence[str]) -> None:
        with self._guard:
            self._deleted += names
            if len(self._deleted) < BATCH:
                return
            done, self._deleted = self._deleted, []
        with self._index.write() as connection:
            connection.executemany("DELETE FROM loose WHERE file = ?", [(name,) for name in done])

    def _sweep(self) -> None:
        names = [row["file"] for row in self._index.rows("SELECT file FROM loose")]
        if not names:
            return
        try:
            self._blobs.sweep(names)
        except ObjectsError as error:
            log.warning("%d loose blobs are to be deleted at the next start: %s", len(names), error)
            return
        with self._index.write() as connection:
            connection.execute("DELETE FROM loose")
