"""Objects: put, get, head, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from clary.ports.objects import Object, Replaced
from clary.ports.world import Call
from clary.services.s3 import checksum, condition, metadata, refuse
from clary.wire.errors import AwsError

T = TypeVar("T")
TRIES = 20
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
    return settled(lambda: _got(call, request))


def head_object(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return _looked_up(call, request)[1]


def delete_object(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    _refuse_conditional_delete(request)
    call.world.objects.delete(request["Bucket"], [request["Key"]])
    return {"_status": 204}


def delete_objects(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    asked = request["Delete"]["Objects"]
    if not 0 < len(asked) <= 1000:
        raise AwsError("MalformedXML", "Delete names 1 to 1000 objects")
    for item in asked:
        _refuse_conditional_delete(item)
        refuse.check(call, item)
    call.world.objects.delete(request["Bucket"], [item["Key"] for item in asked])
    return {} if request["Delete"].get("Quiet") else {"Deleted": [{"Key": item["Key"]} for item in asked]}


def check_key(key: str) -> str:
    if len(key.encode()) > MAX_KEY:
        raise AwsError("KeyTooLongError", "Your key is too long", MaxSizeAllowed=str(MAX_KEY))
    if "\0" in key:
        raise AwsError("InvalidArgument", "A key cannot hold a null character")
    return key


def settled(look: Callable[[], T]) -> T:
    """What is done with an object as it is, once more where that is replaced in the middle of it."""
    for _ in range(TRIES):
        try:
            return look()
        except Replaced:
            continue
    return look()


def _got(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    found, answer, start = _looked_up(call, request)
    if "ContentLength" not in answer:
        return answer
    return answer | {"Body": call.world.objects.read(found, start, answer["ContentLength"])}


def _looked_up(call: Call, request: dict[str, Any]) -> tuple[Object, dict[str, Any], int]:
    """The object, what is answered of it, and where in it the bytes begin that are asked for."""
    refuse.check(call, request)
    found = call.world.objects.head(request["Bucket"], request["Key"])
    validators = {"ETag": f'"{found.etag}"', "LastModified": found.modified}
    if condition.check_read(request, found):
        return found, {**validators, **metadata.caching(found.meta), "_status": 304}, 0
    span = condition.part(request, found) or condition.span(request.get("Range"), found.size)
    start, length = span or (0, found.size)
    answer = {
        **validators,
        "AcceptRanges": "bytes",
        "ContentLength": length,
        **metadata.written(found.meta),
        **checksum.written(found, span is None and request.get("ChecksumMode") == "ENABLED"),
        **metadata.overrides(request),
    }
    if span is not None:
        answer |= {"ContentRange": f"bytes {start}-{start + length - 1}/{found.size}", "_status": 206}
    if "PartNumber" in request and found.part_sizes:
        answer["PartsCount"] = len(found.part_sizes)
    return found, answer, start


def _refuse_conditional_delete(request: dict[str, Any]) -> None:
    for name in ("IfMatch", "IfMatchLastModifiedTime", "IfMatchSize", "ETag", "LastModifiedTime", "Size"):
        if request.get(name) is not None:
            raise AwsError("NotImplemented", f"s3: conditional deletes ({name}) are not built in Clary", 501)
