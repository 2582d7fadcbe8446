"""Checksums and Content-MD5: what a client declares of a body, checked before the body is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.ports.objects import Integrity, Object
from clary.wire.body import Body
from clary.wire.errors import AwsError

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")


def integrity(request: dict[str, Any]) -> Integrity:
    """What to compute of a put's body, from its headers and the trailers that it announces."""
    body = request.get("Body")
    declared = {name: request[f"Checksum{name}"] for name in ALGORITHMS if request.get(f"Checksum{name}")}
    wanted = {*declared, *filter(None, [request.get("ChecksumAlgorithm")])}
    if isinstance(body, Body):
        wanted |= {name for name in ALGORITHMS if f"x-amz-checksum-{name.lower()}" in body.announced}
    unknown = wanted - set(ALGORITHMS)
    if unknown:
        raise AwsError("InvalidRequest", f"The checksum algorithm {min(unknown)} is not supported")

    def check(computed: Mapping[str, str]) -> Mapping[str, str]:
        late = dict(_trailing(body))
        for name, value in {**declared, **late, **_md5(request)}.items():
            if computed[name] != value:
                raise _bad(name)
        return {name: computed[name] for name in wanted}

    return Integrity(tuple(sorted(wanted)), check)


def written(found: Object, wanted: bool = True) -> dict[str, str]:
    """An object's checksums as members of an answer."""
    if not wanted or not found.meta.checksums:
        return {}
    members = {f"Checksum{name}": value for name, value in found.meta.checksums.items()}
    return {**members, "ChecksumType": found.meta.checksum_type}


def _trailing(body: Any) -> list[tuple[str, str]]:
    if not isinstance(body, Body):
        return []
    names = {f"x-amz-checksum-{name.lower()}": name for name in ALGORITHMS}
    return [(names[name], value) for name, value in body.trailers.items() if name in names]


def _md5(request: dict[str, Any]) -> dict[str, str]:
    return {"MD5": request["ContentMD5"]} if request.get("ContentMD5") else {}


def _bad(name: str) -> AwsError:
    if name == "MD5":
        return AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")
    return AwsError("BadDigest", f"The {name} you specified did not match the calculated checksum.")
