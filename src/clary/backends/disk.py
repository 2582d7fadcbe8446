"""Objects as plain files on this machine's disk, with one SQLite index that says which file is which object.

A write is: the data file, whole and synced; then the index row, in one transaction, which is the moment it
counts; then the old file goes. So `kill -9` anywhere leaves the old object or the new one, and a file that no
row names is swept at the next start. Keys are never paths, so any key is a good key.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from clary.backends import disk_file
from clary.backends.disk_index import Index, read_meta, time_of, write_meta
from clary.ports.objects import (
    Bucket,
    Condition,
    Integrity,
    Listing,
    Meta,
    Object,
    ObjectsError,
    Part,
    Upload,
)

MIN_PART = 5 * 1024 * 1024
READ = 1024 * 1024
_LAST = chr(0x10FFFF)
_PLAIN = Integrity()
_ALWAYS = Condition()


class DiskObjects:
    """ports.objects.Objects below one folder."""

    def __init__(self, root: Path) -> None:
        self._data = root / "data"
        for number in range(256):
            (self._data / f"{number:02x}").mkdir(parents=True, exist_ok=True)
        self._index = Index(root / "index.db")
        self._sweep()

    def create_bucket(self, name: str, region: str) -> Bucket:
        with self._index.write() as connection:
            if self.bucket(name) is not None:
                raise ObjectsError(
                    "BucketAlreadyOwnedByYou",
                    "Your previous request to create the named bucket succeeded and you already own it.",
                )
            connection.execute("INSERT INTO buckets VALUES (?, ?, ?)", (name, time.time(), region))
        found = self.bucket(name)
        assert found is not None
        return found

    def delete_bucket(self, name: str) -> None:
        with self._index.write() as connection:
            self._need(name)
            if self._index.row("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", name):
                raise ObjectsError("BucketNotEmpty", "The bucket you tried to delete is not empty")
            connection.execute("DELETE FROM buckets WHERE name = ?", (name,))

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
        self._need(bucket)
        name, digest = disk_file.new_name(), disk_file.Digest(integrity.algorithms)
        await disk_file.receive(self._data, name, body, digest)
        return await asyncio.to_thread(self._keep, bucket, key, name, digest, meta, condition, integrity)

    def put_file(self, bucket: str, key: str, path: Path, meta: Meta = Meta()) -> Object:  # noqa: B008 - frozen
        self._need(bucket)
        name, digest = disk_file.new_name(), disk_file.Digest()
        disk_file.copy_in(self._data, name, _read(path, 0, path.stat().st_size), digest)
        return self._keep(bucket, key, name, digest, meta, _ALWAYS, _PLAIN)

    def head(self, bucket: str, key: str) -> Object:
        return _object(self._row(bucket, key))

    def read(self, bucket: str, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        row = self._row(bucket, key)
        return _read(self._data / row["file"], start, row["size"] - start if length is None else length)

    def path(self, bucket: str, key: str) -> Path | None:
        return self._data / str(self._row(bucket, key)["file"])

    def list(
        self, bucket: str, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> Listing:
        self._need(bucket)
        objects: list[Object] = []
        prefixes: list[str] = []
        last = after
        # A page that went on behind a common prefix must not show that prefix again.
        start = (
            after + _LAST if delimiter and after.startswith(prefix) and after.endswith(delimiter) else after
        )
        while len(objects) + len(prefixes) < limit:
            rows = self._page(bucket, prefix, start, limit - len(objects) - len(prefixes) + 1)
            for row in rows:
                head, found, _ = row["key"][len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
                if len(objects) + len(prefixes) == limit:
                    return Listing(objects, prefixes, last)
                if found:
                    last = prefix + head + delimiter
                    prefixes.append(last)
                    start = last + _LAST
                    break
                objects.append(_object(row))
                last = start = row["key"]
            else:
                return Listing(objects, prefixes, None)
        more = self._page(bucket, prefix, start, 1)
        return Listing(objects, prefixes, last if more else None)

    def delete(self, bucket: str, key: str) -> None:
        self._need(bucket)
        with self._index.write() as connection:
            row = self._find(bucket, key)
            connection.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", (bucket, key))
        if row is not None:
            self._unlink(row["file"])

    def copy(self, source: Object, bucket: str, key: str, meta: Meta | None) -> Object:
        self._need(bucket)
        row = self._row(source.bucket, source.key)
        kept = read_meta(row["meta"])
        made = replace(meta, checksums=kept.checksums) if meta is not None else kept
        name, digest = disk_file.new_name(), disk_file.Digest()
        path = self._data / row["file"]
        disk_file.copy_in(self._data, name, _read(path, 0, row["size"]), digest)
        return self._keep(bucket, key, name, digest, made, _ALWAYS, _PLAIN, etag=row["etag"])

    def set_tags(self, bucket: str, key: str, tags: Mapping[str, str]) -> None:
        with self._index.write() as connection:
            row = self._row(bucket, key)
            meta = write_meta(replace(read_meta(row["meta"]), tags=tags))
            connection.execute(
                "UPDATE objects SET meta = ? WHERE bucket = ? AND key = ?", (meta, bucket, key)
            )

    def start_upload(self, bucket: str, key: str, meta: Meta) -> Upload:
        self._need(bucket)
        upload = Upload(uuid.uuid4().hex, bucket, key, time_of(time.time()), meta)
        with self._index.write() as connection:
            values = (upload.id, bucket, key, upload.started.timestamp(), write_meta(meta))
            connection.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, ?)", values)
        return upload

    async def put_part(
        self, upload: Upload, number: int, body: AsyncIterator[bytes], integrity: Integrity = _PLAIN
    ) -> Part:
        name, digest = disk_file.new_name(), disk_file.Digest(integrity.algorithms)
        await disk_file.receive(self._data, name, body, digest)
        return await asyncio.to_thread(self._keep_part, upload, number, name, digest, integrity)

    def parts(self, upload: Upload) -> Sequence[Part]:
        return [_part(row) for row in self._parts(upload)]

    def upload(self, bucket: str, key: str, id: str) -> Upload:
        row = self._index.row(
            "SELECT * FROM uploads WHERE id = ? AND bucket = ? AND key = ?", id, bucket, key
        )
        if row is None:
            raise ObjectsError(
                "NoSuchUpload",
                "The specified upload does not exist. It may have been aborted or completed.",
                UploadId=id,
            )
        return _upload(row)

    def uploads(self, bucket: str) -> Sequence[Upload]:
        self._need(bucket)
        rows = self._index.rows("SELECT * FROM uploads WHERE bucket = ? ORDER BY key, started", bucket)
        return [_upload(row) for row in rows]

    def complete(
        self, upload: Upload, parts: Sequence[tuple[int, str]], condition: Condition = _ALWAYS
    ) -> Object:
        rows = _chosen(self._parts(upload), parts)
        name, digest = disk_file.new_name(), disk_file.Digest()
        chunks = (c for row in rows for c in _read(self._data / row["file"], 0, row["size"]))
        disk_file.copy_in(self._data, name, chunks, digest)
        joined = hashlib.md5(b"".join(bytes.fromhex(row["etag"]) for row in rows), usedforsecurity=False)
        etag = f"{joined.hexdigest()}-{len(rows)}"
        made = self._keep(upload.bucket, upload.key, name, digest, upload.meta, condition, _PLAIN, etag=etag)
        self.abort(upload)
        return made

    def abort(self, upload: Upload) -> None:
        rows = self._parts(upload)
        with self._index.write() as connection:
            connection.execute("DELETE FROM parts WHERE upload = ?", (upload.id,))
            connection.execute("DELETE FROM uploads WHERE id = ?", (upload.id,))
        for row in rows:
            self._unlink(row["file"])

    def _keep(
        self,
        bucket: str,
        key: str,
        name: str,
        digest: disk_file.Digest,
        meta: Meta,
        condition: Condition,
        integrity: Integrity,
        etag: str = "",
    ) -> Object:
        """The index row: the moment an object counts. Conditions are checked in the same transaction."""
        try:
            checksums = integrity.check(digest.values())
            meta = replace(meta, checksums=checksums) if checksums else meta
            made = Object(bucket, key, digest.size, etag or digest.etag, time_of(time.time()), meta)
            with self._index.write() as connection:
                self._need(bucket)
                old = self._find(bucket, key)
                _check(condition, old)
                connection.execute(
                    "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (bucket, key, made.size, made.etag, made.modified.timestamp(), write_meta(meta), name),
                )
        except BaseException:
            self._unlink(name)
            raise
        if old is not None:
            self._unlink(old["file"])
        return made

    def _keep_part(
        self, upload: Upload, number: int, name: str, digest: disk_file.Digest, integrity: Integrity
    ) -> Part:
        try:
            checksums = dict(integrity.check(digest.values()))
            part = Part(number, digest.etag, digest.size, time_of(time.time()), checksums)
            with self._index.write() as connection:
                self.upload(upload.bucket, upload.key, upload.id)
                sql = "SELECT file FROM parts WHERE upload = ? AND number = ?"
                old = self._index.row(sql, upload.id, number)
                text = write_meta(Meta(checksums=checksums))
                values = (upload.id, number, part.etag, part.size, part.modified.timestamp(), text, name)
                connection.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        except BaseException:
            self._unlink(name)
            raise
        if old is not None:
            self._unlink(old["file"])
        return part

    def _page(self, bucket: str, prefix: str, after: str, limit: int) -> Sequence[sqlite3.Row]:
        sql = (
            "SELECT * FROM objects WHERE bucket = ? AND key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ?"
        )
        return self._index.rows(sql, bucket, after, prefix, prefix + _LAST, limit)

    def _parts(self, upload: Upload) -> Sequence[sqlite3.Row]:
        return self._index.rows("SELECT * FROM parts WHERE upload = ? ORDER BY number", upload.id)

    def _find(self, bucket: str, key: str) -> sqlite3.Row | None:
        return self._index.row("SELECT * FROM objects WHERE bucket = ? AND key = ?", bucket, key)

    def _row(self, bucket: str, key: str) -> sqlite3.Row:
        row = self._find(bucket, key)
        if row is None:
            self._need(bucket)
            raise ObjectsError("NoSuchKey", "The specified key does not exist.", Key=key)
        return row

    def _need(self, bucket: str) -> None:
        if self.bucket(bucket) is None:
            raise ObjectsError("NoSuchBucket", "The specified bucket does not exist", BucketName=bucket)

    def _unlink(self, name: str) -> None:
        (self._data / name).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove files that no row names: what was being written when the last server was killed."""
        sql = "SELECT file FROM objects UNION ALL SELECT file FROM parts"
        known = {row["file"] for row in self._index.rows(sql)}
        for file in self._data.glob("*/*"):
            if f"{file.parent.name}/{file.name}" not in known:
                file.unlink(missing_ok=True)


def _check(condition: Condition, old: sqlite3.Row | None) -> None:
    exists = condition.if_none_match == "*" and old is not None
    differs = condition.if_match is not None and (old is None or condition.if_match not in ("*", old["etag"]))
    if exists or differs:
        name = "If-None-Match" if condition.if_none_match else "If-Match"
        raise ObjectsError(
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
            Condition=name,
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
    if any(row["size"] < MIN_PART for row in chosen[:-1]):
        raise ObjectsError("EntityTooSmall", "Every part but the last must be at least 5 MiB")
    return chosen


def _object(row: sqlite3.Row) -> Object:
    return Object(
        row["bucket"],
        row["key"],
        row["size"],
        row["etag"],
        time_of(row["modified"]),
        read_meta(row["meta"]),
    )


def _upload(row: sqlite3.Row) -> Upload:
    return Upload(row["id"], row["bucket"], row["key"], time_of(row["started"]), read_meta(row["meta"]))


def _part(row: sqlite3.Row) -> Part:
    checksums = read_meta(row["checksums"]).checksums
    return Part(row["number"], row["etag"], row["size"], time_of(row["modified"]), checksums)


def _read(path: Path, start: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while length > 0 and (chunk := file.read(min(READ, length))):
            length -= len(chunk)
            yield chunk
