"""Tags of objects."""

from __future__ import annotations

from typing import Any

from clary.ports.world import Call
from clary.services.s3 import metadata, refuse


def put_object_tagging(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    asked = [(tag["Key"], tag.get("Value") or "") for tag in request["Tagging"]["TagSet"]]
    call.world.objects.set_tags(request["Bucket"], request["Key"], metadata.tags(asked))
    return {}


def get_object_tagging(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    found = call.world.objects.head(request["Bucket"], request["Key"]).meta.tags
    return {"TagSet": [{"Key": key, "Value": value} for key, value in found.items()]}


def delete_object_tagging(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    call.world.objects.set_tags(request["Bucket"], request["Key"], {})
    return {"_status": 204}
