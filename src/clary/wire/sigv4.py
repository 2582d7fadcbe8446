"""AWS Signature Version 4, the checking side, as pure functions over a request.

Source: the signing process of the AWS General Reference ("Create a signed AWS API request") and S3's
own pages on query-string signing.
"""

from __future__ import annotations

import hashlib
import hmac
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import quote, unquote

from clary.wire.request import Request

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
MAX_SKEW = timedelta(minutes=15)
MAX_PRESIGNED_SECONDS = 7 * 24 * 3600
_EMPTY = hashlib.sha256(b"").hexdigest()
_OTHER = f"The authorization mechanism you have provided is not supported. Please use {ALGORITHM};"
_COVERED = frozenset({"x-amz-date", "x-amz-content-sha256", "x-amz-security-token"})
"""Headers whose values the signature covers by itself, or that prove themselves."""
_CREDENTIAL = re.compile(r"(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]*)/(?P<service>[^/]+)/aws4_request")
_FIELD = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request states of its signature, not yet checked."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: Sequence[str]
    signature: str
    timestamp: str
    token: str | None
    presigned: bool
    expires: int | None = None

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    @property
    def time(self) -> datetime:
        return datetime.strptime(self.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


class MalformedError(Exception):
    """The authorization is there but cannot be read; the text says what is missing."""


class UnsupportedError(MalformedError):
    """An authorization of another kind than Signature Version 4, or two at once."""


def read(request: Request) -> Signature | None:
    """The signature that a request carries, None for an unsigned one; MalformedError."""
    header, query = request.headers.get("authorization"), dict(request.query)
    presigned = "X-Amz-Signature" in query or "X-Amz-Algorithm" in query
    if header is not None and presigned:
        raise UnsupportedError("Only one auth mechanism allowed: the Authorization header or X-Amz-Algorithm")
    if header is None and {"AWSAccessKeyId", "Signature", "Expires"} <= query.keys():
        raise UnsupportedError(f"{_OTHER} Signature Version 2 is not (boto3: signature_version='s3v4')")
    if header is not None:
        return _from_header(request, header)
    return _from_query(query) if presigned else None


def _from_header(request: Request, header: str) -> Signature:
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM:
        raise UnsupportedError(f"{_OTHER} {algorithm[:32]!r} is not supported")
    fields = dict(_FIELD.findall(rest))
    missing = [name for name in ("Credential", "SignedHeaders", "Signature") if name not in fields]
    if missing:
        raise MalformedError(f"Authorization header requires '{missing[0]}' parameter")
    timestamp = request.headers.get("x-amz-date") or _iso(request.headers.get("date", ""))
    return _signature(fields, timestamp, request.headers.get("x-amz-security-token"), presigned=False)


def _from_query(query: dict[str, str]) -> Signature:
    if query.get("X-Amz-Algorithm") != ALGORITHM:
        raise MalformedError(f"X-Amz-Algorithm only supports {ALGORITHM}")
    fields = {name: query.get(f"X-Amz-{name}", "") for name in ("Credential", "SignedHeaders", "Signature")}
    expires = query.get("X-Amz-Expires", "")
    if not re.fullmatch(r"[0-9]{1,6}", expires) or not 0 < int(expires) <= MAX_PRESIGNED_SECONDS:
        raise MalformedError("X-Amz-Expires must be between 1 and 604800 seconds")
    token = query.get("X-Amz-Security-Token")
    return _signature(fields, query.get("X-Amz-Date", ""), token, presigned=True, expires=int(expires))


def _signature(
    fields: dict[str, str], timestamp: str, token: str | None, presigned: bool, expires: int | None = None
) -> Signature:
    found = _CREDENTIAL.fullmatch(fields["Credential"])
    if not found:
        raise MalformedError("Credential must be KEY/YYYYMMDD/REGION/SERVICE/aws4_request")
    if not re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", timestamp):
        raise MalformedError("X-Amz-Date must be YYYYMMDDTHHMMSSZ")
    if not fields["Signature"].isascii() or not found["key"].isascii():
        raise MalformedError("Credential and Signature must be ASCII")
    signature = Signature(
        access_key_id=found["key"],
        date=found["date"],
        region=found["region"],
        service=found["service"],
        signed_headers=tuple(fields["SignedHeaders"].split(";")),
        signature=fields["Signature"],
        timestamp=timestamp,
        token=token,
        presigned=presigned,
        expires=expires,
    )
    try:
        signature.time  # noqa: B018 - a date that is none is refused here
    except ValueError as error:
        raise MalformedError("X-Amz-Date is not a date") from error
    if not timestamp.startswith(found["date"]):
        raise MalformedError("Date in Credential scope does not match X-Amz-Date")
    if "host" not in signature.signed_headers:
        raise MalformedError("'Host' must be a 'SignedHeader' in the AWS Authorization")
    return signature


def expected(request: Request, signature: Signature, secret: str, payload_hash: str) -> str:
    """The hex signature that the holder of `secret` would have put."""
    canonical = canonical_request(request, signature, payload_hash)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{signature.timestamp}\n{signature.scope}\n{digest}"
    key = signing_key(secret, signature.date, signature.region, signature.service)
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def unsigned_headers(request: Request, signature: Signature) -> list[str]:
    """X-Amz- headers that the signature does not cover: a signed URL's holder may have put them there."""
    amazon = {name for name in request.headers if name.startswith("x-amz-")}
    return sorted(amazon - _COVERED - set(signature.signed_headers))


def is_digest(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{64}", text) is not None


def _iso(date: str) -> str:
    """The Date header, in which a client may state the time instead of X-Amz-Date."""
    try:
        found = parsedate_to_datetime(date) if date else None
    except ValueError:
        found = None
    # -0000, which Python's own formatdate writes, is UTC and gives no zone.
    return f"{found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC):%Y%m%dT%H%M%SZ}" if found else ""


def matches(request: Request, signature: Signature, secret: str, payload_hash: str) -> bool:
    return hmac.compare_digest(expected(request, signature, secret, payload_hash), signature.signature)


@lru_cache(1024)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = b"AWS4" + secret.encode()
    for piece in (date, region, service, "aws4_request"):
        key = hmac.digest(key, piece.encode(), "sha256")
    return key


def canonical_request(request: Request, signature: Signature, payload_hash: str) -> str:
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signature.signed_headers
    )
    return "\n".join(
        (
            request.method,
            _canonical_path(request.path, signature.service),
            _canonical_query(request),
            headers,
            ";".join(signature.signed_headers),
            payload_hash,
        )
    )


def _canonical_path(path: str, service: str) -> str:
    if service == "s3":
        return quote(unquote(path), safe="/-_.~")
    normal = posixpath.normpath(path) if path else "/"
    if path.endswith("/") and normal != "/":
        normal += "/"
    return quote(normal.replace("//", "/"), safe="/~-_.")


def _canonical_query(request: Request) -> str:
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in request.query
        if name != "X-Amz-Signature"
    )
    return "&".join(f"{name}={value}" for name, value in pairs)


def payload_hash_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest() if body else _EMPTY
