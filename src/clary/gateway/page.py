"""The Studio's built files, the only thing that is given out unsigned. Knows nothing of what is in them."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from clary.wire.body import FileRange
from clary.wire.request import Request
from clary.wire.serialise import Response

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; frame-src 'self' blob: data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def find(root: Path, request: Request) -> Response | None:
    """The file that an unsigned GET or HEAD names, None where there is none."""
    if request.method not in ("GET", "HEAD") or "%" in request.path or ".." in request.path:
        return None
    path = root / ("index.html" if request.path == "/" else request.path.lstrip("/"))
    if path.name.startswith(".") or not path.is_file():
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
    }
    return Response(200, headers, b"" if request.method == "HEAD" else FileRange(path, 0, size))
