"""What a job reads: objects under an S3 prefix become files, linked where they are large, else copied."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clary.lifecycle.job_state import JobFailure
from clary.ports.objects import Object, Objects, ObjectsError, Replaced

COPY_LIMIT = 16 << 20
"""Bytes of a channel up to which its files are copied and may be written, as in SageMaker's File mode."""


@dataclass(frozen=True, slots=True)
class Source:
    """An S3Uri with S3DataType S3Prefix or ManifestFile; `compression` None or Gzip."""

    uri: str
    kind: str = "S3Prefix"
    compression: str = "None"
    writable: bool = True
    """False: always linked, never written (FastFile mode)."""


def materialise(objects: Objects, source: Source, folder: Path, sandbox: bool) -> bool:
    """Fill `folder`; whether its files are links into the object store, which must not be written.

    JobFailure where there is nothing. Links need a read-only mount, so without a sandbox all is copied.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = _manifest(objects, source) if source.kind == "ManifestFile" else _prefix(objects, source.uri)
    gunzip = source.compression == "Gzip"
    total = sum(item.size for _, item in found)
    link = sandbox and not gunzip and (not source.writable or total > COPY_LIMIT)
    for name, item in found:
        target = _inside(folder, name, source.uri)
        target.parent.mkdir(parents=True, exist_ok=True)
        if gunzip and name.endswith(".gz"):
            _gunzip(objects, item, target.with_suffix(""))
        else:
            bring(objects, item, target, link)
    return link


def bring(objects: Objects, item: Object, target: Path, link: bool = False) -> None:
    """One object as a local file; where it was replaced since it was looked up, as it is now."""
    while True:
        try:
            _bring(objects, item, target, link)
            return
        except (FileNotFoundError, Replaced):
            now = objects.head(item.bucket, item.key)
            if now.blob == item.blob:
                raise
            item = now


def _bring(objects: Objects, item: Object, target: Path, link: bool) -> None:
    path = objects.path(item)
    if link and path is not None:
        try:
            os.link(path, target)
            return
        except FileNotFoundError:
            raise
        except OSError:
            pass  # another file system: a copy does as well
    if path is not None:
        shutil.copyfile(path, target)
        return
    with target.open("wb") as file:
        for chunk in objects.read(item):
            file.write(chunk)


def resume_from(objects: Objects, uri: str, folder: Path) -> None:
    """Copy what is below a URI into `folder`; there may be nothing yet."""
    folder.mkdir(parents=True, exist_ok=True)
    bucket, prefix = split(uri)
    base = prefix.rstrip("/") + "/" if prefix else ""
    for item in _everything(objects, bucket, base, uri):
        if not item.key.endswith("/"):
            target = _inside(folder, item.key.removeprefix(base), uri)
            target.parent.mkdir(parents=True, exist_ok=True)
            bring(objects, item, target)


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI; JobFailure for what is none."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise JobFailure(f"ClientError: {uri!r} is not an S3 URI of the form s3://bucket/key")
    return bucket, key


def head(objects: Objects, uri: str) -> Object:
    """The one object of a URI; JobFailure where there is none."""
    bucket, key = split(uri)
    try:
        return objects.head(bucket, key)
    except ObjectsError as error:
        raise JobFailure(f"ClientError: Data download failed: {error.code} for {uri}: {error}") from error


def _prefix(objects: Objects, uri: str) -> list[tuple[str, Object]]:
    bucket, prefix = split(uri)
    found = [item for item in _everything(objects, bucket, prefix, uri) if not item.key.endswith("/")]
    if not found:
        raise JobFailure(
            f"ClientError: Data download failed: NoSuchKey (404): No S3 objects found under S3 URL {uri!r}."
            " Check the bucket and the prefix, and upload the data first"
        )
    parent = prefix[: prefix.rfind("/") + 1]
    inside = prefix if prefix.endswith("/") or not prefix else prefix + "/"
    return [(_relative(item.key, inside, parent), item) for item in found]


def _relative(key: str, inside: str, parent: str) -> str:
    """`data/train` stands for the folder's content and for all keys that begin so, as a prefix does in S3."""
    return key.removeprefix(inside) if key.startswith(inside) else key.removeprefix(parent)


def _everything(objects: Objects, bucket: str, prefix: str, uri: str) -> Iterator[Object]:
    if objects.bucket(bucket) is None:
        raise JobFailure(
            f"ClientError: Data download failed: NoSuchBucket (404): there is no bucket {bucket!r} (in {uri})"
        )
    after = ""
    while True:
        page = objects.list(bucket, prefix, after=after)
        yield from page.objects
        if page.next is None:
            return
        after = page.next


def _manifest(objects: Objects, source: Source) -> list[tuple[str, Object]]:
    """A JSON list: `{"prefix": "s3://bucket/folder/"}`, then names relative to it."""
    item = head(objects, source.uri)
    try:
        entries: Any = json.loads(b"".join(objects.read(item)))
        prefix, names = str(entries[0]["prefix"]), [str(name) for name in entries[1:]]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise JobFailure(
            f"ClientError: The manifest {source.uri} is not a JSON list that begins with "
            '{"prefix": "s3://..."} and goes on with names'
        ) from error
    return [(name, head(objects, prefix + name)) for name in names]


def _gunzip(objects: Objects, item: Object, target: Path) -> None:
    packed = target.with_name(target.name + ".gz")
    bring(objects, item, packed)
    try:
        with gzip.open(packed, "rb") as source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
    except (OSError, EOFError) as error:
        text = f"ClientError: s3://{item.bucket}/{item.key} is not gzip, as CompressionType says: {error}"
        raise JobFailure(text) from error
    packed.unlink()


def _inside(folder: Path, name: str, uri: str) -> Path:
    """A key may hold `..` or start with a slash; a file may not."""
    target = Path(os.path.normpath(folder / name.lstrip("/")))
    if not target.is_relative_to(folder) or target == folder:
        raise JobFailure(f"ClientError: the key {name!r} under {uri} cannot be a file name")
    return target


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def read_text(path: Path, limit: int = 4096) -> str:
    """The start of a file that a program may have left, or nothing."""
    try:
        with path.open("rb") as file:
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""
