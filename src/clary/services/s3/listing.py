"""Listing a bucket, in both of S3's versions."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from clary.ports.objects import Listing, Object
from clary.ports.world import Call
from clary.services.s3 import bucket, refuse
from clary.wire.errors import AwsError

MAX_KEYS = 1000


def list_objects(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    found, encode = _list(call, request, request.get("Marker", ""))
    answer = _written(call, request, found, encode, owner=True)
    answer |= {"Marker": encode(request.get("Marker", ""))}
    if found.next is not None and request.get("Delimiter"):
        answer["NextMarker"] = encode(found.next)
    return answer


def list_objects_v2(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    token = request.get("ContinuationToken")
    after = _read_token(token) if token is not None else request.get("StartAfter", "")
    found, encode = _list(call, request, after)
    answer = _written(call, request, found, encode, owner=bool(request.get("FetchOwner")))
    answer["KeyCount"] = len(found.objects) + len(found.prefixes)
    if request.get("StartAfter"):
        answer["StartAfter"] = encode(request["StartAfter"])
    if token is not None:
        answer["ContinuationToken"] = token
    if found.next is not None:
        answer["NextContinuationToken"] = base64.urlsafe_b64encode(found.next.encode()).decode()
    return answer


def encoder(request: dict[str, Any]) -> Callable[[str], str]:
    """What EncodingType does to keys, prefixes and markers of an answer."""
    return _quoted if request.get("EncodingType") == "url" else str


def _list(call: Call, request: dict[str, Any], after: str) -> tuple[Listing, Callable[[str], str]]:
    refuse.check(call, request)
    limit = request.get("MaxKeys", MAX_KEYS)
    if limit < 0:
        raise AwsError("InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647")
    encode = encoder(request)
    bucket.need(call, request["Bucket"])
    if limit == 0:
        return Listing([], [], None), encode
    prefix, delimiter = request.get("Prefix", ""), request.get("Delimiter", "")
    found = call.world.objects.list(request["Bucket"], prefix, delimiter, after, min(limit, MAX_KEYS))
    return found, encode


def _written(
    call: Call, request: dict[str, Any], found: Listing, encode: Callable[[str], str], owner: bool
) -> dict[str, Any]:
    contents = [_item(call, item, encode, owner) for item in found.objects]
    answer: dict[str, Any] = {
        "Name": request["Bucket"],
        "Prefix": encode(request.get("Prefix", "")),
        "MaxKeys": min(request.get("MaxKeys", MAX_KEYS), MAX_KEYS),
        "IsTruncated": found.next is not None,
        "Contents": contents,
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in found.prefixes],
    }
    if request.get("Delimiter"):
        answer["Delimiter"] = encode(request["Delimiter"])
    if request.get("EncodingType"):
        answer["EncodingType"] = request["EncodingType"]
    return answer


def _item(call: Call, item: Object, encode: Callable[[str], str], owner: bool) -> dict[str, Any]:
    further: dict[str, Any] = {"Owner": bucket.owner(call)} if owner else {}
    if item.meta.checksums:
        further |= {"ChecksumAlgorithm": sorted(item.meta.checksums), "ChecksumType": item.meta.checksum_type}
    return {
        "Key": encode(item.key),
        "LastModified": item.modified,
        "ETag": f'"{item.etag}"',
        "Size": item.size,
        "StorageClass": "STANDARD",
        **further,
    }


def _quoted(text: str) -> str:
    return quote(text, safe="/*-._")


def _read_token(token: str) -> str:
    try:
        found = base64.b64decode(token, altchars=b"-_", validate=True).decode()
        if not found:
            raise ValueError("empty")
        return found
    except ValueError as error:
        raise AwsError("InvalidArgument", "The continuation token provided is incorrect") from error
