"""The Studio's built files, the only thing that is given out unsigned. Knows nothing of what is in them."""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path

from clary.wire.body import FileRange
from clary.wire.request import Request
from clary.wire.serialise import Response

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; frame-src 'self' blob: data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_NAME = re.compile(r"/([\w-][\w.-]{0,200}/){0,3}([\w-][\w.-]{0,200})?", re.ASCII)


def find(root: Path, request: Request) -> Response | None:
    """The file that an unsigned GET or HEAD names, None where there is none."""
    signed = any(name.startswith(("X-Amz-", "AWSAccessKeyId")) for name, _ in request.query)
    if request.method not in ("GET", "HEAD") or signed or not _NAME.fullmatch(request.path):
        return None
    path = root / (request.path[1:] or "index.html")
    if not path.is_file():
        return None
    size = path.stat().st_size
    hashed = path.parent.name == "assets"
    headers = {
        "content-type": mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        "content-length": str(size),
        "cache-control": "public, max-age=31536000, immutable" if hashed else "no-cache",
        "content-security-policy": CONTENT_SECURITY_POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
    }
    return Response(200, headers, b"" if request.method == "HEAD" else FileRange(path, 0, size))
