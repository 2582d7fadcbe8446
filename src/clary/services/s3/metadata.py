"""An object's headers, user metadata and tags: from a request, and into an answer."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

import regex

from clary.ports.objects import Meta
from clary.wire.errors import AwsError

HEADERS = {
    "ContentType": "content-type",
    "ContentEncoding": "content-encoding",
    "ContentDisposition": "content-disposition",
    "ContentLanguage": "content-language",
    "CacheControl": "cache-control",
}
MAX_USER_BYTES = 2048
MAX_TAGS = 10
_TAG = regex.compile(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+")


def read(request: dict[str, Any]) -> Meta:
    headers = {header: str(request[name]) for name, header in HEADERS.items() if request.get(name)}
    if "Expires" in request:
        headers["expires"] = request["Expires"].strftime("%a, %d %b %Y %H:%M:%S GMT")
    encodings = [e.strip() for e in headers.get("content-encoding", "").split(",")]
    kept = ",".join(e for e in encodings if e and e != "aws-chunked")
    headers = {k: v for k, v in headers.items() if k != "content-encoding"} | (
        {"content-encoding": kept} if kept else {}
    )
    user = dict(request.get("Metadata") or {})
    if sum(len(k) + len(v) for k, v in user.items()) > MAX_USER_BYTES:
        raise AwsError("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
    return Meta(headers=headers, user=user, tags=tags(parse_qsl(request.get("Tagging", ""), True)))


def tags(asked: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The same by key, checked against S3's limits."""
    if len(asked) > MAX_TAGS:
        raise AwsError("BadRequest", f"Object tags cannot be greater than {MAX_TAGS}")
    if len(dict(asked)) < len(asked):
        raise AwsError("InvalidTag", "Cannot provide multiple Tags with the same key")
    for key, value in asked:
        if not _TAG.fullmatch(key) or len(key) > 128:
            raise AwsError("InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
        if not _TAG.fullmatch(value or "-") or len(value) > 256:
            raise AwsError(
                "InvalidTag", "The TagValue you have provided is invalid", TagKey=key, TagValue=value
            )
    return dict(asked)


def overrides(request: dict[str, Any]) -> dict[str, Any]:
    """Members of an answer that response-content-type and its like ask for."""
    found = {name: request[f"Response{name}"] for name in HEADERS if request.get(f"Response{name}")}
    for name, value in found.items():
        if any(ord(c) > 255 or c in "\r\n" for c in value):
            raise AwsError(
                "InvalidArgument",
                "Header value cannot be represented using ISO-8859-1.",
                ArgumentName=f"response-{HEADERS[name]}",
                ArgumentValue=value,
            )
    if "ResponseExpires" in request:
        found["Expires"] = request["ResponseExpires"]
    return found


def caching(meta: Meta) -> dict[str, Any]:
    """What of that a 304 repeats."""
    return {name: value for name, value in written(meta).items() if name in ("CacheControl", "Expires")}


def written(meta: Meta) -> dict[str, Any]:
    """Members of a Get or Head answer."""
    found: dict[str, Any] = {
        name: meta.headers[header] for name, header in HEADERS.items() if header in meta.headers
    }
    found.setdefault("ContentType", "binary/octet-stream")
    if "expires" in meta.headers:
        found["Expires"] = parsedate_to_datetime(meta.headers["expires"])
    if meta.user:
        found["Metadata"] = dict(meta.user)
    if meta.tags:
        found["TagCount"] = len(meta.tags)
    return found
