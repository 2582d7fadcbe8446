"""The multipart uploads of a bucket that are going on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from clary.ports.objects import Upload
from clary.ports.world import Call
from clary.services.s3 import listing, refuse


def list_multipart_uploads(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    encode = listing.encoder(request)
    prefix, delimiter = request.get("Prefix", ""), request.get("Delimiter", "")
    limit = min(request.get("MaxUploads", 1000), 1000)
    going_on = [u for u in call.world.objects.uploads(request["Bucket"]) if u.key.startswith(prefix)]
    shown = _rolled_up(_behind_marker(request, going_on), prefix, delimiter)
    page = shown[:limit]
    answer: dict[str, Any] = {
        "Bucket": request["Bucket"],
        "Prefix": encode(prefix),
        "KeyMarker": encode(request.get("KeyMarker", "")),
        "UploadIdMarker": request.get("UploadIdMarker", ""),
        "MaxUploads": limit,
        "IsTruncated": len(shown) > limit,
        "Uploads": [_upload(item, encode) for item in page if isinstance(item, Upload)],
        "CommonPrefixes": [{"Prefix": encode(item)} for item in page if isinstance(item, str)],
        "EncodingType": request.get("EncodingType"),
        "Delimiter": encode(delimiter) if delimiter else None,
    }
    if len(shown) > limit and page:
        last = page[-1]
        key, id = (last, "") if isinstance(last, str) else (last.key, last.id)
        answer |= {"NextKeyMarker": encode(key), "NextUploadIdMarker": id}
    return answer


def _behind_marker(request: dict[str, Any], found: Sequence[Upload]) -> list[Upload]:
    """By key, then by time; without an upload's id the marker stands behind all of its key."""
    key, id = request.get("KeyMarker", ""), request.get("UploadIdMarker", "")
    same = [upload for upload in found if upload.key == key]
    at = next((number for number, upload in enumerate(same) if upload.id == id), len(same))
    delimiter = request.get("Delimiter", "")
    inside = key if delimiter and key.endswith(delimiter) else None
    return [
        *same[at + 1 :],
        *(u for u in found if u.key > key and not (inside and u.key.startswith(inside))),
    ]


def _rolled_up(found: Sequence[Upload], prefix: str, delimiter: str) -> list[Upload | str]:
    """Uploads, and in place of those below a common prefix that prefix, once."""
    shown: dict[str, Upload | str] = {}
    for upload in found:
        head, divider, _ = upload.key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        common = prefix + head + divider
        shown |= {f"p{common}": common} if divider else {f"u{upload.id}": upload}
    return list(shown.values())


def _upload(upload: Upload, encode: Callable[[str], str]) -> dict[str, Any]:
    return {
        "UploadId": upload.id,
        "Key": encode(upload.key),
        "Initiated": upload.started,
        "StorageClass": "STANDARD",
    }
