"""Objects: put, get, head, delete, copy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from clary.ports.objects import Meta, Object
from clary.ports.world import Call
from clary.services.s3 import checksum, condition, metadata, refuse
from clary.wire.errors import AwsError

MAX_KEY = 1024


async def put_object(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    key = check_key(request["Key"])
    made = await call.world.objects.put(
        request["Bucket"],
        key,
        request["Body"],
        metadata.read(request),
        condition.of_write(request),
        checksum.integrity(request),
    )
    return {"ETag": f'"{made.etag}"', **checksum.written(made)}


def get_object(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    found = _found(call, request)
    span = condition.span(request.get("Range"), found.size)
    start, length = span or (0, found.size)
    answer = _head(found, request, whole=span is None) | {"ContentLength": length}
    if span is not None:
        answer |= {"ContentRange": f"bytes {start}-{start + length - 1}/{found.size}", "_status": 206}
    return answer | {"Body": call.world.objects.read(found, start, length)}


def head_object(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    found = _found(call, request)
    span = condition.span(request.get("Range"), found.size)
    answer = _head(found, request, whole=span is None) | {"ContentLength": span[1] if span else found.size}
    if span is not None:
        last = span[0] + span[1] - 1
        answer |= {"ContentRange": f"bytes {span[0]}-{last}/{found.size}", "_status": 206}
    return answer


def delete_object(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    _refuse_conditional_delete(request)
    call.world.objects.delete(request["Bucket"], request["Key"])
    return {"_status": 204}


def delete_objects(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    asked = request["Delete"]["Objects"]
    if not 0 < len(asked) <= 1000:
        raise AwsError("MalformedXML", "Delete names 1 to 1000 objects")
    for item in asked:
        _refuse_conditional_delete(item)
        refuse.check(call, item)
    for item in asked:
        call.world.objects.delete(request["Bucket"], item["Key"])
    return {} if request["Delete"].get("Quiet") else {"Deleted": [{"Key": item["Key"]} for item in asked]}


def copy_object(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    key = check_key(request["Key"])
    source = source_of(call, request)
    condition.check_read(request, source, "CopySource")
    new_meta = request.get("MetadataDirective", "COPY") == "REPLACE"
    new_tags = request.get("TaggingDirective", "COPY") == "REPLACE"
    if (source.bucket, source.key) == (request["Bucket"], key) and not (new_meta or new_tags):
        raise AwsError(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing "
            "the object's metadata, storage class, website redirect location or encryption attributes.",
        )
    made = call.world.objects.copy(
        source, request["Bucket"], key, _copied(source, request, new_meta, new_tags)
    )
    result = {"ETag": f'"{made.etag}"', "LastModified": made.modified, **checksum.written(made)}
    return {"CopyObjectResult": result}


def get_object_attributes(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    found = call.world.objects.head(request["Bucket"], request["Key"])
    every: dict[str, Any] = {
        "ETag": found.etag,
        "ObjectSize": found.size,
        "StorageClass": "STANDARD",
        "Checksum": checksum.written(found) or None,
    }
    parts = found.etag.rpartition("-")[2]
    if "-" in found.etag:
        every["ObjectParts"] = {"TotalPartsCount": int(parts)}
    wanted = {name: every.get(name) for name in request["ObjectAttributes"]}
    return {"LastModified": found.modified, **wanted}


def source_of(call: Call, request: dict[str, Any]) -> Object:
    """The object that x-amz-copy-source names."""
    bucket, _, key = unquote(request["CopySource"]).lstrip("/").partition("/")
    key, _, version = key.partition("?versionId=")
    if not bucket or not key:
        raise AwsError("InvalidArgument", "The copy source must be BUCKET/KEY, URL-encoded")
    if version not in ("", "null"):
        raise AwsError("NotImplemented", "s3: versions of objects are not built in Clary", 501)
    return call.world.objects.head(bucket, key)


def check_key(key: str) -> str:
    if len(key.encode()) > MAX_KEY:
        raise AwsError("KeyTooLongError", "Your key is too long", MaxSizeAllowed=str(MAX_KEY))
    if "\0" in key:
        raise AwsError("InvalidArgument", "A key cannot hold a null character")
    return key


def _found(call: Call, request: dict[str, Any]) -> Object:
    refuse.check(call, request)
    if request.get("PartNumber", 1) != 1:
        raise AwsError("NotImplemented", "s3: PartNumber of a finished object is not built: use Range", 501)
    found = call.world.objects.head(request["Bucket"], request["Key"])
    condition.check_read(request, found)
    return found


def _head(found: Object, request: dict[str, Any], whole: bool) -> dict[str, Any]:
    overrides = {
        name.removeprefix("Response"): value
        for name, value in request.items()
        if name.startswith("Response") and name != "ResponseExpires"
    }
    wanted = whole and request.get("ChecksumMode") == "ENABLED"
    return {
        "ETag": f'"{found.etag}"',
        "LastModified": found.modified,
        "AcceptRanges": "bytes",
        **metadata.written(found.meta),
        **checksum.written(found, wanted),
        **overrides,
    }


def _copied(source: Object, request: dict[str, Any], new_meta: bool, new_tags: bool) -> Meta:
    if not (new_meta or new_tags):
        return source.meta
    asked = metadata.read(request)
    kept = replace(source.meta, headers=asked.headers, user=asked.user) if new_meta else source.meta
    return replace(kept, tags=asked.tags) if new_tags else kept


def _refuse_conditional_delete(request: dict[str, Any]) -> None:
    for name in ("IfMatch", "IfMatchLastModifiedTime", "IfMatchSize", "ETag", "LastModifiedTime", "Size"):
        if request.get(name) is not None:
            raise AwsError("NotImplemented", f"s3: conditional deletes ({name}) are not built in Clary", 501)
