"""An object's headers, user metadata and tags: from a request, and into an answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

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
    return Meta(headers=headers, user=user, tags=tags(dict(parse_qsl(request.get("Tagging", "")))))


def tags(found: dict[str, str]) -> dict[str, str]:
    """The same, checked against S3's limits."""
    if len(found) > MAX_TAGS:
        raise AwsError("BadRequest", f"Object tags cannot be greater than {MAX_TAGS}")
    for key, value in found.items():
        if not 0 < len(key) <= 128 or len(value) > 256:
            raise AwsError("InvalidTag", "A tag key has 1 to 128 characters, a value 256 at most")
    return found


def written(meta: Meta) -> dict[str, Any]:
    """Members of a Get or Head answer."""
    found: dict[str, Any] = {
        name: meta.headers[header] for name, header in HEADERS.items() if header in meta.headers
    }
    found.setdefault("ContentType", "binary/octet-stream")
    if "expires" in meta.headers:
        found["ExpiresString"] = meta.headers["expires"]
    if meta.user:
        found["Metadata"] = dict(meta.user)
    if meta.tags:
        found["TagCount"] = len(meta.tags)
    return found
