"""Copies: of an object, and into a part of an upload."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from clary.ports.objects import Meta, Object
from clary.ports.world import Call
from clary.services.s3 import checksum, condition, metadata, multipart, object, refuse
from clary.wire.errors import AwsError

_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})")


async def copy_object(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    object.check_key(request["Key"])
    if "ChecksumAlgorithm" in request:
        made = await _summed(call, request)
    else:
        made = await asyncio.to_thread(object.settled, lambda: _copied(call, request))
    result = {"ETag": f'"{made.etag}"', "LastModified": made.modified, **checksum.written(made)}
    return {"CopyObjectResult": result}


async def upload_part_copy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    number, upload = multipart.part_number(request), multipart.find(call, request)
    integrity = checksum.integrity({}, next(iter(upload.meta.checksums), ""))
    _, chunks = await asyncio.to_thread(object.settled, lambda: _opened(call, request))
    part = await call.world.objects.put_part(upload, number, _stream(chunks), integrity)
    result = {"ETag": f'"{part.etag}"', "LastModified": part.modified, **checksum.members(part.checksums)}
    return {"CopyPartResult": result}


def _copied(call: Call, request: dict[str, Any]) -> Object:
    source = _source(call, request)
    meta, only_if = _meta(source, request), condition.of_write(request)
    return call.world.objects.copy(source, request["Bucket"], request["Key"], meta, only_if)


async def _summed(call: Call, request: dict[str, Any]) -> Object:
    """A copy whose checksum is to be another than the source's: only now are the bytes looked at."""
    source, chunks = await asyncio.to_thread(object.settled, lambda: _opened(call, request))
    integrity = checksum.integrity({"ChecksumAlgorithm": request["ChecksumAlgorithm"]})
    meta, only_if = _meta(source, request), condition.of_write(request)
    return await call.world.objects.put(
        request["Bucket"], request["Key"], _stream(chunks), meta, only_if, integrity
    )


def _opened(call: Call, request: dict[str, Any]) -> tuple[Object, Iterator[bytes]]:
    source = _source(call, request)
    start, end = _range(request.get("CopySourceRange"), source.size)
    return source, call.world.objects.read(source, start, end - start)


def _source(call: Call, request: dict[str, Any]) -> Object:
    """The object that x-amz-copy-source names, if its conditions hold."""
    path, _, version = request["CopySource"].partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if not bucket or not key:
        raise AwsError("InvalidArgument", "The copy source must be BUCKET/KEY, URL-encoded")
    if version not in ("", "null"):
        raise AwsError("NotImplemented", "s3: versions of objects are not built in Clary", 501)
    found = call.world.objects.head(bucket, key)
    condition.check_read(request, found, "CopySource")
    return found


def _range(text: str | None, size: int) -> tuple[int, int]:
    """Start and end; unlike a GET's, a copy's range must lie wholly in the source."""
    if text is None:
        return 0, size
    found = _RANGE.fullmatch(text)
    if found is None or int(found[1]) > int(found[2]):
        raise AwsError(
            "InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last"
        )
    if int(found[2]) >= size:
        raise AwsError("InvalidArgument", f"Range specified is not valid for source object of size: {size}")
    return int(found[1]), int(found[2]) + 1


def _meta(source: Object, request: dict[str, Any]) -> Meta:
    new_meta = request.get("MetadataDirective", "COPY") == "REPLACE"
    new_tags = request.get("TaggingDirective", "COPY") == "REPLACE"
    same = (source.bucket, source.key) == (request["Bucket"], request["Key"])
    if same and not (new_meta or new_tags or "StorageClass" in request):
        raise AwsError(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing "
            "the object's metadata, storage class, website redirect location or encryption attributes.",
        )
    asked = metadata.read(request)
    kept = replace(source.meta, headers=asked.headers, user=asked.user) if new_meta else source.meta
    return replace(kept, tags=asked.tags) if new_tags else kept


async def _stream(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk
