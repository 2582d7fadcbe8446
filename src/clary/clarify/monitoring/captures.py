"""Captured requests of an endpoint (data capture's JSON Lines), and their merge with ground truth."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clary.clarify.data.dataset import files_below
from clary.clarify.errors import ClarifyError

Log = Callable[[str], None]

CSV, LINES, JSON = "text/csv", "application/jsonlines", "application/json"
_KINDS = {"CSV": CSV, "JSON": JSON}


@dataclass(frozen=True)
class Body:
    """What a request or a response said, and its content type."""

    text: str
    kind: str


@dataclass(frozen=True)
class Event:
    """One captured request: what was asked, what was answered, and the truth where it is known."""

    id: str
    """The caller's inferenceId where there is one, else the endpoint's eventId."""
    place: str
    """File and line, for errors."""
    time: str = ""
    input: Body | None = None
    output: Body | None = None
    truth: Body | None = None


def captured(path: Path) -> list[Event]:
    """The events of a capture file, or of all below a folder (they are kept as year/month/day/hour)."""
    return [
        Event(
            _id(record, place),
            place,
            str(record["eventMetadata"].get("inferenceTime", "")),
            _body(capture.get("endpointInput"), place),
            _body(capture.get("endpointOutput"), place),
            _body(record.get("groundTruthData"), place),
        )
        for record, place in _records(path)
        for capture in [_part(record, "captureData", place)]
    ]


def ground_truth(path: Path) -> dict[str, Body]:
    """The labels below a folder by event; of several for one event the last counts."""
    found: dict[str, Body] = {}
    for record, place in _records(path):
        body = _body(_part(record, "groundTruthData", place), place)
        if body is not None:
            found[_id(record, place)] = body
    return found


def merged(events: list[Event], truths: Mapping[str, Body], log: Log) -> list[Event]:
    """The events whose truth is known, as Model Monitor merges: the others are left out, and counted."""
    found = [replace(event, truth=truths[event.id]) for event in events if event.id in truths]
    if not found:
        raise ClarifyError(
            f"None of the {len(truths):,} ground truth records belongs to one of the {len(events):,} "
            f"captured requests: ids are like {_first(truths)} there, "
            f"{_first(event.id for event in events)} here. The ground truth's eventId must be the captured "
            "inferenceId, or the eventId where there is none."
        )
    lone = len(truths) - len({event.id for event in found})
    log(
        f"Merged {len(found):,} captured requests with ground truth; left out {len(events) - len(found):,} "
        f"requests without one and {lone:,} ground truth records without a request."
    )
    return found


def between(events: list[Event], start: str, end: str) -> list[Event]:
    """The events from `start` until before `end`, ISO times (UTC without a zone); without a time, all."""
    first, last = _time(start, "start_time"), _time(end, "end_time")
    return [e for e in events if not e.time or first <= _time(e.time, e.place) < last]


def _time(text: str, what: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.replace(": ", ":"))
    except ValueError as error:
        raise ClarifyError(f"{what}: {text!r} is not an ISO time such as 2026-11-24T18:00:00Z.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _first(ids: Any) -> str:
    return repr(next(iter(ids), "none"))


def _records(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Every line as a record, with its place."""
    for file in files_below(path):
        for number, line in enumerate(file.read_bytes().splitlines(), 1):
            if not line.strip():
                continue
            place = f"{file.name}, line {number}"
            try:
                record = json.loads(line)
            except ValueError as error:
                raise ClarifyError(f"{place} is not JSON; perhaps the file was cut off: {error}.") from error
            if not isinstance(record, dict) or not isinstance(record.get("eventMetadata"), dict):
                raise ClarifyError(f"{place} has no eventMetadata: it is no record of data capture.")
            yield record, place


def _part(record: Mapping[str, Any], name: str, place: str) -> dict[str, Any]:
    part = record.get(name)
    if not isinstance(part, dict):
        raise ClarifyError(f"{place} has no {name}, but {', '.join(record)}.")
    return part


def _id(record: Mapping[str, Any], place: str) -> str:
    metadata = record["eventMetadata"]
    found = metadata.get("inferenceId") or metadata.get("eventId")
    if not found:
        raise ClarifyError(f"{place}: eventMetadata has neither inferenceId nor eventId.")
    return str(found)


def _body(part: Any, place: str) -> Body | None:
    """The text of a captured body, out of its encoding."""
    if part is None:
        return None
    if not isinstance(part, dict) or not isinstance(part.get("data"), str):
        raise ClarifyError(f"{place}: a captured body needs data, a string, and encoding.")
    encoding = str(part.get("encoding", "")).upper()
    observed = str(part.get("observedContentType", "")).partition(";")[0].strip().lower()
    if encoding == "BASE64":
        return Body(_decoded(part["data"], place), observed or CSV)
    if encoding not in _KINDS:
        raise ClarifyError(f"{place}: the encoding {encoding!r} is none of CSV, JSON and BASE64.")
    lines = encoding == "JSON" and observed in (LINES, "application/x-jsonlines")
    return Body(part["data"], LINES if lines else _KINDS[encoding])


def _decoded(data: str, place: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ClarifyError(f"{place}: the BASE64 data is not text: {error}.") from error
