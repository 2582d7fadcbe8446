"""CloudWatch Logs: groups and streams."""

from __future__ import annotations

from typing import Any

from clary.ports.logs import Stream
from clary.ports.world import Call
from clary.services.logs.paging import page, refuse
from clary.wire import arn
from clary.wire.errors import AwsError

PAGE = 50


def describe_log_groups(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse(request, "accountIdentifiers", "logGroupIdentifiers", "includeLinkedAccounts", "logGroupClass")
    names = [
        name
        for name in call.world.logs.groups(request.get("logGroupNamePrefix", ""))
        if request.get("logGroupNamePattern", "").lower() in name.lower()
    ]
    rows, token = page(names, str, request, PAGE)
    return {"logGroups": [_group(call, name) for name in rows], **token}


def describe_log_streams(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    by_time = request.get("orderBy") == "LastEventTime"
    if by_time and "logStreamNamePrefix" in request:
        raise AwsError(
            "InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix."
        )
    group = known_group(call, request)
    streams = call.world.logs.streams(group, request.get("logStreamNamePrefix", ""))
    key = _last_event if by_time else _name
    ordered = sorted(streams, key=key, reverse=request.get("descending", False))
    rows, token = page(ordered, _name, request, PAGE)
    return {"logStreams": [_stream(call, group, stream) for stream in rows], **token}


def delete_log_group(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    call.world.logs.delete(known_group(call, request))
    return {}


def known_group(call: Call, request: dict[str, Any]) -> str:
    """The group that a request names, by name or ARN; ResourceNotFoundException."""
    given = request.get("logGroupName") or request.get("logGroupIdentifier")
    if not given:
        raise AwsError("InvalidParameterException", "Name a log group: logGroupName or logGroupIdentifier.")
    name = str(given)
    if name.startswith("arn:"):
        name = arn.read(name).resource.removeprefix("log-group:").removesuffix(":*")
    if name not in call.world.logs.groups(name):
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return name


def _name(stream: Stream) -> str:
    return stream.name


def _last_event(stream: Stream) -> tuple[int, str]:
    return stream.last_event_ms or 0, stream.name


def _group(call: Call, name: str) -> dict[str, Any]:
    streams = call.world.logs.streams(name)
    where = arn.write("logs", call.world.region, call.world.account, f"log-group:{name}")
    return {
        "logGroupName": name,
        "creationTime": min((stream.created_ms for stream in streams), default=0),
        "metricFilterCount": 0,
        "arn": f"{where}:*",
        "logGroupArn": where,
        "storedBytes": sum(stream.bytes for stream in streams),
        "logGroupClass": "STANDARD",
    }


def _stream(call: Call, group: str, stream: Stream) -> dict[str, Any]:
    resource = f"log-group:{group}:log-stream:{stream.name}"
    found: dict[str, Any] = {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "arn": arn.write("logs", call.world.region, call.world.account, resource),
        "storedBytes": stream.bytes,
    }
    if stream.first_event_ms is not None and stream.last_event_ms is not None:
        found |= {
            "firstEventTimestamp": stream.first_event_ms,
            "lastEventTimestamp": stream.last_event_ms,
            "lastIngestionTime": stream.last_event_ms,
        }
    return found
