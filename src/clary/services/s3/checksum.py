"""Checksums and Content-MD5: what a client declares of a body, checked before the body is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.ports.objects import Integrity, Meta, Object, Part
from clary.wire import checksums
from clary.wire.body import Body
from clary.wire.checksums import ALGORITHMS
from clary.wire.errors import AwsError

_HEADERS = {f"x-amz-checksum-{name.lower()}": name for name in ALGORITHMS}


def integrity(request: dict[str, Any], upload: str = "") -> Integrity:
    """What to compute of a body, from its headers and announced trailers.

    `upload` is the algorithm of the multipart upload that the body is a part of.
    """
    body = request.get("Body")
    given = declared(request)
    announced = body.announced & _HEADERS.keys() if isinstance(body, Body) else frozenset()
    named = {*given, *(_HEADERS[header] for header in announced)}
    if len(named) > 1:
        raise AwsError(
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    asked = named or {request["ChecksumAlgorithm"]} if request.get("ChecksumAlgorithm") else named
    if upload and asked and upload not in asked:
        text = f"expected checksum Type: {upload.lower()}, actual checksum Type: {min(asked).lower()}"
        raise AwsError("InvalidRequest", f"Checksum Type mismatch occurred, {text}")
    wanted = {upload} if upload else asked
    if "ContentMD5" in request and not checksums.is_well_formed("MD5", request["ContentMD5"]):
        raise AwsError("InvalidDigest", "The Content-MD5 you specified is not valid.")

    def check(computed: Mapping[str, str]) -> Mapping[str, str]:
        late = body.trailers if isinstance(body, Body) else {}
        if announced - late.keys():
            raise AwsError("MalformedTrailerError", f"The trailer {min(announced)} did not come")
        checksums.compare(given | {_HEADERS[header]: late[header] for header in announced}, computed)
        if "ContentMD5" in request and request["ContentMD5"] != computed["MD5"]:
            raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")
        return {name: computed[name] for name in wanted}

    return Integrity(tuple(sorted(wanted)), check)


def declared(request: dict[str, Any]) -> dict[str, str]:
    """Algorithm to value, from x-amz-checksum-* headers."""
    found = {name: request[f"Checksum{name}"] for name in ALGORITHMS if request.get(f"Checksum{name}")}
    for name, value in found.items():
        if not checksums.is_well_formed(name, value.partition("-")[0]):
            raise AwsError("InvalidRequest", f"Value for x-amz-checksum-{name.lower()} header is invalid.")
    return found


def of_upload(request: dict[str, Any]) -> Meta:
    """The algorithm and the type that a new multipart upload asks for."""
    algorithm, kind = request.get("ChecksumAlgorithm", ""), request.get("ChecksumType", "")
    if not algorithm and not kind:
        return Meta()
    if not algorithm:
        raise AwsError(
            "InvalidRequest",
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        )
    kind = kind or ("FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE")
    if algorithm == "CRC64NVME" if kind == "COMPOSITE" else algorithm not in checksums.WHOLE:
        raise AwsError(
            "InvalidRequest",
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm.",
        )
    return Meta(checksums={algorithm: ""}, checksum_type=kind)


def of_parts(meta: Meta, parts: Sequence[Part]) -> dict[str, str]:
    """The checksum of an object that is joined from parts, as its upload asked for it."""
    found = {}
    for name in meta.checksums:
        values = [(part.checksums[name], part.size) for part in parts]
        if meta.checksum_type == "FULL_OBJECT":
            found[name] = checksums.whole(name, values)
        else:
            found[name] = checksums.composite(name, [value for value, _ in values])
    return found


def written(found: Object, wanted: bool = True) -> dict[str, str]:
    """An object's checksums as members of an answer."""
    if not wanted or not found.meta.checksums:
        return {}
    return {**members(found.meta.checksums), "ChecksumType": found.meta.checksum_type}


def members(found: Mapping[str, str]) -> dict[str, str]:
    return {f"Checksum{name}": value for name, value in found.items()}
