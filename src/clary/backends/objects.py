"""Objects: one index says which blob is which object; the blobs lie on a disk or in an S3.

A write is: the blob, whole and durable; then the index row, in one transaction, which is the moment it
counts; then the old blob goes. So `kill -9` anywhere leaves the old object or the new one. Keys are never
paths, so any key is a good key.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from clary.backends.blobs import Blobs, copy_in, receive
from clary.backends.loose import Loose
from clary.backends.objects_index import Index, object_of, part_of, time_of, upload_of, write_meta
from clary.backends.objects_listing import listing
from clary.ports.objects import (
    Bucket,
    Condition,
    Integrity,
    Listing,
    Meta,
    Object,
    ObjectsError,
    Part,
    Replaced,
    Upload,
)
from clary.wire.checksums import Digest

MIN_PART = 5 * 1024 * 1024
_PLAIN = Integrity()
_ALWAYS = Condition()


class IndexedObjects:
    """ports.objects.Objects over an index and blobs."""

    def __init__(self, index: Index, store: Blobs) -> None:
        self._index = index
        self._blobs = store
        self._loose = Loose(index, store)
        self._locks: dict[str, threading.Lock] = {}

    def create_bucket(self, name: str, region: str) -> Bucket:
        with self._index.write() as connection:
            if self.bucket(name) is not None:
                raise ObjectsError(
                    "BucketAlreadyOwnedByYou",
                    "Your previous request to create the named bucket succeeded and you already own it.",
                )
            connection.execute("INSERT INTO buckets VALUES (?, ?, ?)", (name, time.time(), region))
        return self._need(name)

    def delete_bucket(self, name: str) -> None:
        with self._index.write() as connection:
            self._need(name)
            if self._index.row("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", name):
                raise ObjectsError("BucketNotEmpty", "The bucket you tried to delete is not empty")
            uploads = [row["id"] for row in self._index.rows("SELECT id FROM uploads WHERE bucket = ?", name)]
            gone = [blob for id in uploads for blob in self._end(connection, id)]
            connection.execute("DELETE FROM buckets WHERE name = ?", (name,))
        self._loose.delete(gone)

    def bucket(self, name: str) -> Bucket | None:
        row = self._index.row("SELECT * FROM buckets WHERE name = ?", name)
        return Bucket(row["name"], time_of(row["created"]), row["region"]) if row else None

    def buckets(self) -> Sequence[Bucket]:
        rows = self._index.rows("SELECT * FROM buckets ORDER BY name")
        return [Bucket(row["name"], time_of(row["created"]), row["region"]) for row in rows]

    async def put(
        self,
        bucket: str,
        key: str,
        body: AsyncIterator[bytes],
        meta: Meta,
        condition: Condition = _ALWAYS,
        integrity: Integrity = _PLAIN,
    ) -> Object:
        # Looked at before the body, which may be large, and again when it counts.
        await asyncio.to_thread(self._check, bucket, key, condition)
        name, digest = await asyncio.to_thread(self._loose.fresh), Digest(integrity.algorithms)
        await receive(self._blobs, name, body, digest)
        return await asyncio.to_thread(self._made, bucket, key, name, digest, meta, condition, integrity)

    def put_file(self, bucket: str, key: str, path: Path, meta: Meta = Meta()) -> Object:  # noqa: B008 - frozen
        self._need(bucket)
        name, digest = self._loose.fresh(), Digest()
        with path.open("rb") as file:
            copy_in(self._blobs, name, iter(lambda: file.read(self._blobs.piece), b""), digest)
        return self._made(bucket, key, name, digest, meta, _ALWAYS, _PLAIN)

    def head(self, bucket: str, key: str) -> Object:
        found = self._find(bucket, key)
        if found is None:
            self._need(bucket)
            raise ObjectsError("NoSuchKey", "The specified key does not exist.", Key=key)
        return found

    def read(self, item: Object, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        chunks = self._reading(item, start, item.size - start if length is None else length)
        next(chunks)
        return chunks

    def path(self, item: Object) -> Path | None:
        return self._blobs.path(item.blob)

    def list(
        self, bucket: str, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> Listing:
        self._need(bucket)
        return listing(self._index, bucket, prefix, delimiter, after, limit)

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        with self._index.write() as connection:
            self._need(bucket)
            old = [found.blob for key in keys if (found := self._find(bucket, key))]
            connection.executemany(
                "DELETE FROM objects WHERE bucket = ? AND key = ?", [(bucket, key) for key in keys]
            )
            gone = self._loose.drop(connection, old)
        self._loose.delete(gone)

    def copy(
        self, source: Object, bucket: str, key: str, meta: Meta, condition: Condition = _ALWAYS
    ) -> Object:
        made = replace(source, bucket=bucket, key=key, meta=meta, modified=_now(), upload="")
        with self._index.write() as connection:
            self._need_blob(source)
            gone = self._count(connection, made, condition)
        self._loose.delete(gone)
        return made

    def set_tags(self, bucket: str, key: str, tags: Mapping[str, str]) -> None:
        with self._index.write() as connection:
            found = self.head(bucket, key)
            self._write(connection, replace(found, meta=replace(found.meta, tags=tags)))

    def start_upload(self, bucket: str, key: str, meta: Meta) -> Upload:
        upload = Upload(uuid.uuid4().hex, bucket, key, _now(), meta)
        with self._index.write() as connection:
            self._need(bucket)
            values = (upload.id, bucket, key, upload.started.timestamp(), write_meta(meta))
            connection.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, ?)", values)
        return upload

    async def put_part(
        self, upload: Upload, number: int, body: AsyncIterator[bytes], integrity: Integrity = _PLAIN
    ) -> Part:
        name, digest = await asyncio.to_thread(self._loose.fresh), Digest(integrity.algorithms)
        await receive(self._blobs, name, body, digest)
        return await asyncio.to_thread(self._keep_part, upload, number, name, digest, integrity)

    def parts(self, upload: Upload) -> Sequence[Part]:
        return [part_of(row) for row in self._parts(upload.id)]

    def upload(self, bucket: str, key: str, id: str) -> Upload:
        sql = "SELECT * FROM uploads WHERE id = ? AND bucket = ? AND key = ?"
        row = self._index.row(sql, id, bucket, key)
        if row is None:
            self._need(bucket)
            raise ObjectsError(
                "NoSuchUpload",
                "The specified upload does not exist. It may have been aborted or completed.",
                UploadId=id,
            )
        return upload_of(row)

    def uploads(self, bucket: str) -> Sequence[Upload]:
        self._need(bucket)
        rows = self._index.rows("SELECT * FROM uploads WHERE bucket = ? ORDER BY key, started", bucket)
        return [upload_of(row) for row in rows]

    def complete(
        self,
        upload: Upload,
        parts: Sequence[tuple[int, str]],
        condition: Condition = _ALWAYS,
        check: Callable[[Sequence[Part]], Mapping[str, str]] = lambda parts: {},
    ) -> Object:
        with self._alone(upload):
            self._check(upload.bucket, upload.key, condition)
            rows = _chosen(self._parts(upload.id), parts)
            meta = replace(upload.meta, checksums=check([part_of(row) for row in rows]))
            made = _joined(replace(upload, meta=meta), rows, self._loose.fresh())
            self._blobs.join(made.blob, [(row["file"], row["size"]) for row in rows])
            return self._keep(made, condition)

    def abort(self, upload: Upload) -> None:
        with self._alone(upload), self._index.write() as connection:
            gone = self._end(connection, upload.id)
        self._loose.delete(gone)

    @contextmanager
    def _alone(self, upload: Upload) -> Iterator[None]:
        """One thread at a time ends an upload or adds to it; NoSuchUpload where another has ended it."""
        with self._locks.setdefault(upload.id, threading.Lock()):
            try:
                self.upload(upload.bucket, upload.key, upload.id)
                yield
            finally:
                if self._index.row("SELECT 1 FROM uploads WHERE id = ?", upload.id) is None:
                    self._locks.pop(upload.id, None)

    def _made(
        self,
        bucket: str,
        key: str,
        name: str,
        digest: Digest,
        meta: Meta,
        condition: Condition,
        integrity: Integrity,
    ) -> Object:
        """The object of a blob that has come, if it is what it should be."""
        with self._unless_refused(name):
            meta = replace(meta, checksums=integrity.check(digest.values()))
        return self._keep(Object(bucket, key, digest.size, digest.etag, _now(), meta, name), condition)

    def _keep(self, made: Object, condition: Condition) -> Object:
        """The moment an object counts."""
        with self._unless_refused(made.blob), self._index.write() as connection:
            gone = self._count(connection, made, condition)
            gone = [*gone, *self._end(connection, made.upload)]
        self._loose.delete(gone)
        return made

    def _keep_part(
        self, upload: Upload, number: int, name: str, digest: Digest, integrity: Integrity
    ) -> Part:
        with self._unless_refused(name), self._alone(upload):
            checksums = dict(integrity.check(digest.values()))
            part = Part(number, digest.etag, digest.size, _now(), checksums)
            text = write_meta(Meta(checksums=checksums))
            values = (upload.id, number, part.etag, part.size, part.modified.timestamp(), text, name)
            with self._index.write() as connection:
                sql = "SELECT file FROM parts WHERE upload = ? AND number = ?"
                old = [row["file"] for row in self._index.rows(sql, upload.id, number)]
                connection.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)", values)
                self._loose.keep(connection, name)
                gone = self._loose.drop(connection, old)
        self._loose.delete(gone)
        return part

    @contextmanager
    def _unless_refused(self, name: str) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._loose.delete([name])
            raise

    def _count(self, connection: sqlite3.Connection, made: Object, condition: Condition) -> Sequence[str]:
        """Write the row, in the caller's transaction; the blobs that are to be deleted after it."""
        self._need(made.bucket)
        old = self._find(made.bucket, made.key)
        _refuse_unless(condition, old)
        self._write(connection, made)
        self._loose.keep(connection, made.blob)
        return self._loose.drop(connection, [old.blob] if old else [])

    def _write(self, connection: sqlite3.Connection, made: Object) -> None:
        meta = write_meta(made.meta, made.part_sizes, made.upload)
        values = (made.bucket, made.key, made.size, made.etag, made.modified.timestamp(), meta, made.blob)
        connection.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def _end(self, connection: sqlite3.Connection, upload: str) -> Sequence[str]:
        gone = [row["file"] for row in self._parts(upload)]
        connection.execute("DELETE FROM parts WHERE upload = ?", (upload,))
        connection.execute("DELETE FROM uploads WHERE id = ?", (upload,))
        return self._loose.drop(connection, gone)

    def _reading(self, item: Object, start: int, length: int) -> Iterator[bytes]:
        with self._loose.reading(item.blob):
            self._need_blob(item)
            chunks = self._blobs.read(item.blob, start, length)
            yield b""
            yield from chunks

    def _check(self, bucket: str, key: str, condition: Condition) -> None:
        self._need(bucket)
        _refuse_unless(condition, self._find(bucket, key))

    def _need(self, bucket: str) -> Bucket:
        found = self.bucket(bucket)
        if found is None:
            raise ObjectsError("NoSuchBucket", "The specified bucket does not exist", BucketName=bucket)
        return found

    def _need_blob(self, item: Object) -> None:
        if self._index.row("SELECT 1 FROM objects WHERE file = ?", item.blob) is None:
            raise Replaced(item.key)

    def _find(self, bucket: str, key: str) -> Object | None:
        row = self._index.row("SELECT * FROM objects WHERE bucket = ? AND key = ?", bucket, key)
        return object_of(row) if row else None

    def _parts(self, upload: str) -> Sequence[sqlite3.Row]:
        return self._index.rows("SELECT * FROM parts WHERE upload = ? ORDER BY number", upload)


def _refuse_unless(condition: Condition, old: Object | None) -> None:
    """As S3 has it: If-Match where there is nothing is 404."""
    if condition.if_match is not None and old is None:
        raise ObjectsError("NoSuchKey", "The specified key does not exist.")
    wrong = old is not None and condition.if_match not in (None, "*", old.etag)
    if wrong or (condition.if_none_match == "*" and old is not None):
        raise ObjectsError(
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
            Condition="If-Match" if wrong else "If-None-Match",
        )


def _chosen(rows: Sequence[sqlite3.Row], parts: Sequence[tuple[int, str]]) -> Sequence[sqlite3.Row]:
    """The rows of the parts that the client lists, in its order, which must be ascending."""
    numbers = [number for number, _ in parts]
    if numbers != sorted(set(numbers)):
        raise ObjectsError("InvalidPartOrder", "The list of parts was not in ascending order.")
    known = {row["number"]: row for row in rows}
    for number, etag in parts:
        if number not in known or known[number]["etag"] != etag:
            raise ObjectsError("InvalidPart", f"Part {number} was not uploaded, or with another ETag.")
    chosen = [known[number] for number in numbers]
    for row in chosen[:-1]:
        if row["size"] < MIN_PART:
            raise ObjectsError(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size: every part but the last must "
                "have 5 MiB",
                PartNumber=str(row["number"]),
            )
    return chosen


def _joined(upload: Upload, rows: Sequence[sqlite3.Row], name: str) -> Object:
    digest = hashlib.md5(b"".join(bytes.fromhex(row["etag"]) for row in rows), usedforsecurity=False)
    sizes = [row["size"] for row in rows]
    etag = f"{digest.hexdigest()}-{len(rows)}"
    return Object(upload.bucket, upload.key, sum(sizes), etag, _now(), upload.meta, name, sizes, upload.id)


def _now() -> datetime:
    return time_of(time.time())
