"""GetObjectAttributes: what is known of an object, its parts among it."""

from __future__ import annotations

from typing import Any

from clary.ports.objects import Object
from clary.ports.world import Call
from clary.services.s3 import checksum, refuse


def get_object_attributes(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    found = call.world.objects.head(request["Bucket"], request["Key"])
    every: dict[str, Any] = {
        "ETag": found.etag,
        "ObjectSize": found.size,
        "StorageClass": "STANDARD",
        "Checksum": checksum.written(found) or None,
        "ObjectParts": _parts(found, request) if found.part_sizes else None,
    }
    return {"LastModified": found.modified, **{name: every.get(name) for name in request["ObjectAttributes"]}}


def _parts(found: Object, request: dict[str, Any]) -> dict[str, Any]:
    after, limit = int(request.get("PartNumberMarker") or 0), min(request.get("MaxParts", 1000), 1000)
    parts = [
        {"PartNumber": number, "Size": size}
        for number, size in enumerate(found.part_sizes, start=1)
        if number > after
    ]
    page = parts[:limit]
    return {
        "TotalPartsCount": len(found.part_sizes),
        "PartNumberMarker": after,
        "NextPartNumberMarker": page[-1]["PartNumber"] if page else after,
        "MaxParts": limit,
        "IsTruncated": len(parts) > limit,
        "Parts": page,
    }
