"""Conditional requests and ranges, by RFC 9110 as S3 applies it."""

from __future__ import annotations

import re
from typing import Any

from clary.ports.objects import Condition, Object
from clary.wire.errors import AwsError

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def of_write(request: dict[str, Any]) -> Condition:
    none_match = request.get("IfNoneMatch")
    if none_match not in (None, "*"):
        raise AwsError("NotImplemented", "If-None-Match of a write can only be *", 501)
    return Condition(_bare(request.get("IfMatch")), none_match)


def check_read(request: dict[str, Any], found: Object, prefix: str = "") -> bool:
    """Whether it is what the client has already (304); AwsError PreconditionFailed (412).

    `prefix` is CopySource for copies, to which both are 412.
    """
    match, none_match = request.get(f"{prefix}IfMatch"), request.get(f"{prefix}IfNoneMatch")
    since, unmodified = (request.get(f"{prefix}If{w}Since") for w in ("Modified", "Unmodified"))
    modified = found.modified.replace(microsecond=0)
    if match is not None:
        if not _matches(match, found):
            raise _failed(f"{prefix}If-Match")
    elif unmodified is not None and modified > unmodified:
        raise _failed(f"{prefix}If-Unmodified-Since")
    same = _matches(none_match, found) if none_match is not None else since is not None and modified <= since
    if same and prefix:
        raise _failed(f"{prefix}If-None-Match")
    return same


def part(request: dict[str, Any], found: Object) -> tuple[int, int] | None:
    """(start, length) of the part that PartNumber names; AwsError InvalidPartNumber (416)."""
    number = request.get("PartNumber")
    if number is None:
        return None
    if request.get("Range"):
        raise AwsError("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
    sizes = found.part_sizes or (found.size,)
    if not 1 <= number <= len(sizes):
        text = "The requested partnumber is not satisfiable"
        raise AwsError("InvalidPartNumber", text, 416, ActualPartCount=str(len(sizes)))
    return (sum(sizes[: number - 1]), sizes[number - 1]) if found.size else None


def span(text: str | None, size: int) -> tuple[int, int] | None:
    """(start, length) of a Range header; None where it is to be ignored; AwsError InvalidRange (416)."""
    found = _RANGE.fullmatch(text.replace(" ", "")) if text else None
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if not first:
        start, end = max(size - int(last), 0), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < int(first):
            return None
    if start >= size or end < start or (not first and int(last) == 0):
        raise AwsError(
            "InvalidRange", "The requested range is not satisfiable", 416, ActualObjectSize=str(size)
        )
    return start, end - start + 1


def _matches(text: str, found: Object) -> bool:
    return any(_bare(item.strip()) in ("*", found.etag) for item in text.split(","))


def _bare(etag: str | None) -> str | None:
    return etag.removeprefix("W/").strip('"') if etag else None


def _failed(condition: str) -> AwsError:
    return AwsError(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        412,
        Condition=condition,
    )
