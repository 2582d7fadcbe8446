"""Multipart uploads."""

from __future__ import annotations

from typing import Any

from clary.ports.objects import Part, Upload
from clary.ports.world import Call
from clary.services.s3 import checksum, condition, metadata, object, refuse
from clary.wire.errors import AwsError

MAX_PARTS = 10_000


def create_multipart_upload(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    key = object.check_key(request["Key"])
    upload = call.world.objects.start_upload(request["Bucket"], key, metadata.read(request))
    answer = {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.id}
    if request.get("ChecksumAlgorithm"):
        answer |= {"ChecksumAlgorithm": request["ChecksumAlgorithm"], "ChecksumType": "COMPOSITE"}
    return answer


async def upload_part(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    upload = _upload(call, request)
    part = await call.world.objects.put_part(
        upload, _number(request), request["Body"], checksum.integrity(request)
    )
    return {"ETag": f'"{part.etag}"', **{f"Checksum{k}": v for k, v in part.checksums.items()}}


async def upload_part_copy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    upload = _upload(call, request)
    source = object.source_of(call, request)
    condition.check_read(request, source, "CopySource")
    span = condition.span(request.get("CopySourceRange"), source.size)
    start, length = span or (0, source.size)
    chunks = call.world.objects.read(source, start, length)

    async def stream() -> Any:
        for chunk in chunks:
            yield chunk

    part = await call.world.objects.put_part(upload, _number(request), stream())
    return {"CopyPartResult": {"ETag": f'"{part.etag}"', "LastModified": part.modified}}


def complete_multipart_upload(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    upload = _upload(call, request)
    asked = (request.get("MultipartUpload") or {}).get("Parts") or []
    if not asked:
        raise AwsError("MalformedXML", "You must specify at least one part")
    chosen = [(part["PartNumber"], part["ETag"].strip('"')) for part in asked]
    made = call.world.objects.complete(upload, chosen, condition.of_write(request))
    location = f"{call.world.url}/{made.bucket}/{made.key}"
    return {"Location": location, "Bucket": made.bucket, "Key": made.key, "ETag": f'"{made.etag}"'}


def abort_multipart_upload(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    call.world.objects.abort(_upload(call, request))
    return {"_status": 204}


def list_parts(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    upload = _upload(call, request)
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
    }


def list_multipart_uploads(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    if request.get("Delimiter"):
        raise AwsError("NotImplemented", "s3:ListMultipartUploads: Delimiter is not built in Clary", 501)
    marker = (request.get("KeyMarker", ""), request.get("UploadIdMarker", ""))
    found = [
        upload
        for upload in call.world.objects.uploads(request["Bucket"])
        if upload.key.startswith(request.get("Prefix", "")) and (upload.key, upload.id) > marker
    ]
    limit = min(request.get("MaxUploads", 1000), 1000)
    page = sorted(found, key=lambda upload: (upload.key, upload.id))[:limit]
    answer: dict[str, Any] = {
        "Bucket": request["Bucket"],
        "MaxUploads": limit,
        "IsTruncated": len(found) > limit,
        "Uploads": [
            {"UploadId": u.id, "Key": u.key, "Initiated": u.started, "StorageClass": "STANDARD"} for u in page
        ],
    }
    if len(found) > limit:
        answer |= {"NextKeyMarker": page[-1].key, "NextUploadIdMarker": page[-1].id}
    return answer


def _upload(call: Call, request: dict[str, Any]) -> Upload:
    return call.world.objects.upload(request["Bucket"], request["Key"], request["UploadId"])


def _number(request: dict[str, Any]) -> int:
    number = int(request["PartNumber"])
    if not 1 <= number <= MAX_PARTS:
        raise AwsError("InvalidArgument", f"Part number must be an integer between 1 and {MAX_PARTS}")
    return number


def _part(part: Part) -> dict[str, Any]:
    sums = {f"Checksum{name}": value for name, value in part.checksums.items()}
    return {
        "PartNumber": part.number,
        "LastModified": part.modified,
        "ETag": f'"{part.etag}"',
        "Size": part.size,
        **sums,
    }
