"""Buckets."""

from __future__ import annotations

import re
from typing import Any

from clary.ports.objects import Bucket, ObjectsError
from clary.ports.world import Call
from clary.services.s3 import refuse
from clary.wire.errors import AwsError

_NAME = re.compile(r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_RESERVED = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


def create_bucket(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    name = request["Bucket"]
    if not _NAME.fullmatch(name) or ".." in name or _ADDRESS.fullmatch(name) or name.endswith(_RESERVED):
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.", BucketName=name)
    configuration = request.get("CreateBucketConfiguration") or {}
    refuse.members(configuration, "Location", "Bucket", "Tags")
    wanted = configuration.get("LocationConstraint")
    region = wanted or call.region
    try:
        call.world.objects.create_bucket(name, region)
    except ObjectsError as error:
        # us-east-1 answers a second creation by the owner with success, and clients count on it.
        if error.code != "BucketAlreadyOwnedByYou" or region != "us-east-1":
            raise
    return {"Location": f"/{name}"}


def head_bucket(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    return {"BucketRegion": need(call, request["Bucket"]).region}


def delete_bucket(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    call.world.objects.delete_bucket(request["Bucket"])
    return {"_status": 204}


def list_buckets(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    prefix, after = request.get("Prefix", ""), request.get("ContinuationToken", "")
    limit = request.get("MaxBuckets", 10_000)
    found = [b for b in call.world.objects.buckets() if b.name.startswith(prefix) and b.name > after]
    if "BucketRegion" in request:
        found = [bucket for bucket in found if bucket.region == request["BucketRegion"]]
    page = found[:limit]
    written = [{"Name": b.name, "CreationDate": b.created, "BucketRegion": b.region} for b in page]
    more = {"ContinuationToken": page[-1].name} if len(found) > limit else {}
    return {"Buckets": written, "Owner": owner(call), **({"Prefix": prefix} if prefix else {}), **more}


def get_bucket_location(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.check(call, request)
    region = need(call, request["Bucket"]).region
    return {"LocationConstraint": "" if region == "us-east-1" else region}


def get_bucket_versioning(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Versioning was never switched on: an empty answer says so, as in S3."""
    refuse.check(call, request)
    need(call, request["Bucket"])
    return {}


def need(call: Call, name: str) -> Bucket:
    found = call.world.objects.bucket(name)
    if found is None:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=name)
    return found


def owner(call: Call) -> dict[str, str]:
    return {"ID": call.world.account, "DisplayName": "clary"}
