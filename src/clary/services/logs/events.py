"""CloudWatch Logs: the events of a stream, forwards and backwards, and filtered ones of several streams."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from clary.ports.logs import Line
from clary.ports.world import Call
from clary.services.logs.filter import matcher
from clary.services.logs.groups import known_group
from clary.services.logs.paging import invalid_token, read_token, refuse, write_token
from clary.wire.errors import AwsError

LIMIT = 10_000
PAGE_BYTES = 1 << 20
"""An answer's messages, as AWS limits them."""
CHUNK = 1000
_TOKEN = re.compile(r"([fb])/([0-9]{1,56})")


def get_log_events(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """A page of one stream; its tokens are byte offsets, and the same token comes back at the end."""
    refuse(request, "unmask")
    group, stream = known_group(call, request), request["logStreamName"]
    if stream not in {found.name for found in call.world.logs.streams(group, stream)}:
        raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
    forwards, offset = _where(request)
    limit = request.get("limit", LIMIT)
    if forwards:
        lines = _ahead(call, group, stream, offset or 0, limit, request)
        start, end = offset or 0, lines[-1].end if lines else offset or 0
    else:
        lines = _back(call, group, stream, offset, limit, request)
        end = offset if offset is not None else _end(call, group, stream)
        start = lines[0].offset if lines else 0 if offset is None else min(offset, end)
    return {
        "events": [_event(line) for line in lines],
        "nextForwardToken": f"f/{end:056d}",
        "nextBackwardToken": f"b/{start:056d}",
    }


def filter_log_events(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Events of the matching streams, stream after stream in order of name, each in order of time."""
    refuse(request, "unmask")
    group = known_group(call, request)
    wanted = _streams(call, group, request)
    matches = matcher(request.get("filterPattern", ""))
    name, offset = _read(request["nextToken"]) if "nextToken" in request else ("", 0)
    limit, size = min(request.get("limit", LIMIT), LIMIT), 0
    found: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    for stream in (each for each in wanted if each >= name):
        for line in _all(call, group, stream, offset if stream == name else 0):
            if not (_in_time(line, request) and matches(line.message)):
                continue
            if len(found) == limit or size > PAGE_BYTES:
                token = {"nextToken": write_token([stream, line.offset])}
                break
            size += len(line.message)
            found.append({"logStreamName": stream, "eventId": f"{stream}/{line.offset}", **_event(line)})
        if token:
            break
    return {"events": found, "searchedLogStreams": [], **token}


def _read(token: str) -> tuple[str, int]:
    """Stream and byte offset of a page token of FilterLogEvents."""
    match read_token(token):
        case [str(name), int(offset)] if 0 <= offset < 2**63 and not isinstance(offset, bool):
            return name, offset
    raise invalid_token()


def _streams(call: Call, group: str, request: dict[str, Any]) -> Sequence[str]:
    named = request.get("logStreamNames")
    if named and "logStreamNamePrefix" in request:
        raise AwsError("InvalidParameterException", "Give logStreamNames or logStreamNamePrefix, not both.")
    known = [stream.name for stream in call.world.logs.streams(group, request.get("logStreamNamePrefix", ""))]
    if not named:
        return known
    missing = sorted(set(named) - set(known))
    if missing:
        raise AwsError("ResourceNotFoundException", f"The specified log stream does not exist: {missing[0]}")
    return sorted(named)


def _where(request: dict[str, Any]) -> tuple[bool, int | None]:
    """Direction and byte offset; None stands for the end."""
    token = request.get("nextToken")
    if token is None:
        forwards = bool(request.get("startFromHead", False))
        return forwards, 0 if forwards else None
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise invalid_token()
    return found[1] == "f", min(int(found[2]), 2**62)


def _ahead(
    call: Call, group: str, stream: str, offset: int, limit: int, request: dict[str, Any]
) -> list[Line]:
    found: list[Line] = []
    size = 0
    for line in _all(call, group, stream, offset):
        if _in_time(line, request):
            found.append(line)
            size += len(line.message)
        if len(found) == limit or size > PAGE_BYTES:
            break
    return found


def _back(
    call: Call, group: str, stream: str, offset: int | None, limit: int, request: dict[str, Any]
) -> list[Line]:
    found: list[Line] = []
    size, at = 0, offset
    while True:
        lines = call.world.logs.lines_before(group, stream, at, CHUNK)
        for line in reversed(lines):
            if _in_time(line, request):
                found.append(line)
                size += len(line.message)
            if len(found) == limit or size > PAGE_BYTES:
                return found[::-1]
        if len(lines) < CHUNK:
            return found[::-1]
        at = lines[0].offset


def _all(call: Call, group: str, stream: str, offset: int) -> Iterator[Line]:
    while lines := call.world.logs.lines(group, stream, offset, CHUNK):
        yield from lines
        offset = lines[-1].end


def _end(call: Call, group: str, stream: str) -> int:
    last = call.world.logs.lines_before(group, stream, None, 1)
    return last[-1].end if last else 0


def _in_time(line: Line, request: dict[str, Any]) -> bool:
    """startTime is inclusive, endTime exclusive."""
    return bool(
        request.get("startTime", line.timestamp_ms)
        <= line.timestamp_ms
        < request.get("endTime", line.timestamp_ms + 1)
    )


def _event(line: Line) -> dict[str, Any]:
    return {"timestamp": line.timestamp_ms, "message": line.message, "ingestionTime": line.timestamp_ms}
