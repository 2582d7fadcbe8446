"""Amazon Resource Names: written and read."""

from __future__ import annotations

from dataclasses import dataclass

from clary.wire.errors import validation


@dataclass(frozen=True, slots=True)
class Arn:
    service: str
    region: str
    account: str
    resource: str
    """`training-job/my-job`, or what stands behind the fifth colon."""


def write(service: str, region: str, account: str, resource: str) -> str:
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def read(text: str) -> Arn:
    """AwsError ValidationException for what is no ARN."""
    pieces = text.split(":", 5)
    if len(pieces) != 6 or pieces[0] != "arn":
        raise validation(f"Invalid ARN: {text!r} is not arn:partition:service:region:account:resource")
    return Arn(pieces[2], pieces[3], pieces[4], pieces[5])
