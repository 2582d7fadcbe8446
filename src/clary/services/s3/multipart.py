"""Multipart uploads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from clary.ports.objects import Object, ObjectsError, Part, Upload
from clary.ports.world import Call
from clary.services.s3 import checksum, condition, metadata, object, refuse
from clary.wire.errors import AwsError

MAX_PARTS = 10_000


def create_multipart_upload(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    key = object.check_key(request["Key"])
    sums = checksum.of_upload(request)
    meta = replace(metadata.read(request), checksums=sums.checksums, checksum_type=sums.checksum_type)
    upload = call.world.objects.start_upload(request["Bucket"], key, meta)
    return {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.id, **_algorithm(upload)}


async def upload_part(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    number, upload = part_number(request), find(call, request)
    integrity = checksum.integrity(request, next(iter(upload.meta.checksums), ""))
    part = await call.world.objects.put_part(upload, number, request["Body"], integrity)
    return {"ETag": f'"{part.etag}"', **checksum.members(part.checksums)}


def complete_multipart_upload(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    asked = (request.get("MultipartUpload") or {}).get("Parts") or []
    if not asked or any("PartNumber" not in part or "ETag" not in part for part in asked):
        raise AwsError("MalformedXML", "You must specify at least one part, each with PartNumber and ETag")
    try:
        made = _complete(call, request, asked)
    except ObjectsError as error:
        made = _completed_before(call, request, error)
    return {
        "Location": f"{call.world.url}/{made.bucket}/{quote(made.key)}",
        "Bucket": made.bucket,
        "Key": made.key,
        "ETag": f'"{made.etag}"',
        **checksum.written(made),
    }


def abort_multipart_upload(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    call.world.objects.abort(find(call, request))
    return {"_status": 204}


def list_parts(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    upload = find(call, request)
    after, limit = int(request.get("PartNumberMarker") or 0), min(request.get("MaxParts", 1000), 1000)
    parts = [part for part in call.world.objects.parts(upload) if part.number > after]
    page = parts[:limit]
    return {
        "Bucket": upload.bucket,
        "Key": upload.key,
        "UploadId": upload.id,
        "PartNumberMarker": after,
        "NextPartNumberMarker": page[-1].number if page else after,
        "MaxParts": limit,
        "IsTruncated": len(parts) > limit,
        "Parts": [_part(part) for part in page],
        "StorageClass": "STANDARD",
        **_algorithm(upload),
    }


def find(call: Call, request: dict[str, Any]) -> Upload:
    return call.world.objects.upload(request["Bucket"], request["Key"], request["UploadId"])


def part_number(request: dict[str, Any]) -> int:
    number = int(request["PartNumber"])
    if not 1 <= number <= MAX_PARTS:
        raise AwsError(
            "InvalidArgument", f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive"
        )
    return number


def _complete(call: Call, request: dict[str, Any], asked: Sequence[dict[str, Any]]) -> Object:
    upload = find(call, request)

    def check(parts: Sequence[Part]) -> dict[str, str]:
        _compare(asked, parts)
        found = checksum.of_parts(upload.meta, parts)
        _compare_whole(request, found, sum(part.size for part in parts))
        return found

    chosen = [(part["PartNumber"], part["ETag"].strip('"')) for part in asked]
    return call.world.objects.complete(upload, chosen, condition.of_write(request), check)


def _completed_before(call: Call, request: dict[str, Any], error: ObjectsError) -> Object:
    """A client whose first Complete took too long to be answered asks again, and gets the same answer."""
    if error.code == "NoSuchUpload":
        try:
            found = call.world.objects.head(request["Bucket"], request["Key"])
        except ObjectsError:
            raise error from None
        if found.upload == request["UploadId"]:
            return found
    raise error


def _compare(asked: Sequence[dict[str, Any]], parts: Sequence[Part]) -> None:
    for given, part in zip(asked, parts, strict=True):
        for name, value in checksum.declared(given).items():
            if part.checksums.get(name) != value:
                raise AwsError(
                    "InvalidPart",
                    f"Part {part.number} was not uploaded, or with another {name} than the one specified.",
                )


def _compare_whole(request: dict[str, Any], found: dict[str, str], size: int) -> None:
    for name, value in checksum.declared(request).items():
        if name not in found or value.partition("-")[0] != found[name].partition("-")[0]:
            raise AwsError("BadDigest", f"The {name} you specified did not match the calculated checksum.")
    wanted = request.get("MpuObjectSize", size)
    if wanted != size:
        text = f"The provided 'x-amz-mp-object-size' header value {wanted} does not match what was computed"
        raise AwsError("InvalidRequest", f"{text}: {size}")


def _algorithm(upload: Upload) -> dict[str, str]:
    return {
        member: value
        for name in upload.meta.checksums
        for member, value in (("ChecksumAlgorithm", name), ("ChecksumType", upload.meta.checksum_type))
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "PartNumber": part.number,
        "LastModified": part.modified,
        "ETag": f'"{part.etag}"',
        "Size": part.size,
        **checksum.members(part.checksums),
    }
