"""Tags on every SageMaker resource."""

from __future__ import annotations

import re
from typing import Any

from clary.ports.records import NotFound, Record
from clary.ports.world import Call
from clary.resources.resource import tags_of
from clary.wire import arn
from clary.wire.errors import AwsError, validation

MAX_TAGS = 50


def add_tags(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    record = _find(call, request["ResourceArn"])
    added = tags_of(request)
    if len(call.world.store.tags(record.arn) | added) > MAX_TAGS:
        raise validation(f"A resource can have {MAX_TAGS} tags at most")
    try:
        return {"Tags": _written(call.world.store.tag(record.arn, added))}
    except NotFound as error:
        raise _missing(record.arn) from error


def list_tags(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    found = _written(call.world.store.tags(_find(call, request["ResourceArn"]).arn))
    start = _start(request.get("NextToken", "0"))
    end = start + request.get("MaxResults", 100)
    return {"Tags": found[start:end]} | ({"NextToken": str(end)} if end < len(found) else {})


def delete_tags(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    call.world.store.untag(_find(call, request["ResourceArn"]).arn, request["TagKeys"])
    return {}


def _find(call: Call, text: str) -> Record:
    arn.read(text)
    record = call.world.store.find(text)
    if record is None:
        raise _missing(text)
    return record


def _missing(text: str) -> AwsError:
    return validation(f"Could not find a resource with the ARN {text}")


def _written(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _start(token: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", token):
        raise validation("Invalid NextToken: send the one of the page before, unchanged")
    return int(token)
