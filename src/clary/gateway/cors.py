"""Cross-origin headers: any web page may call, for what lets a call in is its signature, never a cookie."""

from __future__ import annotations

from clary.wire.request import Request

EXPOSED = (
    "x-amzn-RequestId, x-amz-request-id, x-Amzn-Invoked-Production-Variant, "
    "X-Amzn-SageMaker-Custom-Attributes, x-amzn-errortype, ETag, Content-Range, x-amz-version-id, Date"
)


def preflight(request: Request) -> dict[str, str]:
    """The answer's headers to OPTIONS. The asked list is echoed, for `*` does not cover `authorization`."""
    return {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        "access-control-allow-headers": request.headers.get("access-control-request-headers", "*"),
        "access-control-max-age": "86400",
        "vary": "access-control-request-headers",
    }


def headers(request: Request) -> dict[str, str]:
    if "origin" not in request.headers:
        return {}
    return {"access-control-allow-origin": "*", "access-control-expose-headers": EXPOSED}
