"""The chain that every request goes through: sign, parse, validate, dispatch, serialise. Knows no noun."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clary.gateway import authenticate, cors, page, payload, send
from clary.gateway.dispatch import Table
from clary.ports.world import Call, World
from clary.wire import model, parse, sigv4, validate
from clary.wire.body import Body
from clary.wire.errors import AwsError, not_built
from clary.wire.request import Matched, Request, match, parse_query, service_of
from clary.wire.serialise import Response, serialise, serialise_error

log = logging.getLogger("clary.gateway")

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
INVOCATION_LIMIT = 25 * 1024 * 1024
THREADS = 48


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is known of a request before its operation is."""

    request: Request
    service: str
    protocol: str
    request_id: str


class Gateway:
    """An ASGI application over a world and a dispatch table."""

    def __init__(self, world: World, table: Table, studio: Path) -> None:
        self._world = world
        self._table = table
        self._studio = studio
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="operation")

    async def __call__(self, scope: Scope, receive: payload.Receive, send_: Send) -> None:
        request = _request(scope)
        request_id = str(uuid.uuid4())
        if request.method == "OPTIONS":
            await send.response(send_, Response(204, cors.preflight(request)), request_id, {})
            return
        response = None if "authorization" in request.headers else page.find(self._studio, request)
        if response is None:
            response = await self._answer(request, receive, request_id)
        # What users store may be a page: opened in a browser, it must not run as the Studio's own.
        response.headers.setdefault("content-security-policy", "sandbox")
        response.headers.setdefault("x-content-type-options", "nosniff")
        await send.response(send_, response, request_id, cors.headers(request), head=request.method == "HEAD")

    async def _answer(self, request: Request, receive: payload.Receive, request_id: str) -> Response:
        asked = _asked(request, request_id)
        try:
            return await self._call(asked, receive)
        except AwsError as error:
            return _error(error, asked)
        except Exception:
            log.exception("%s %s failed, request id %s", request.method, request.path, request_id)
            message = f"We encountered an internal error. The server's log has it under {request_id}."
            return _error(AwsError("InternalFailure", message, 500), asked)

    async def _call(self, asked: _Asked, receive: payload.Receive) -> Response:
        request, protocol = asked.request, asked.protocol
        known = model.service(asked.service)
        streamed = asked.service == "s3" and request.method in ("PUT", "POST")
        body: bytes | Body
        principal, region = authenticate.ANONYMOUS, self._world.region
        unsigned = await self._unsigned(asked, receive)
        if unsigned is not None:
            body = unsigned
        else:
            signature = authenticate.read(request, protocol)
            key = authenticate.find_key(signature, self._world.identity, protocol)
            principal, region = key.principal, signature.region
            if asked.service == "s3":
                declared = request.headers.get("x-amz-content-sha256", sigv4.UNSIGNED)
                authenticate.check(request, signature, key, declared, protocol)
                body = payload.stream(request, receive, signature, key.secret) if streamed else b""
            else:
                limit = INVOCATION_LIMIT if asked.service == "sagemaker-runtime" else payload.CONTROL_LIMIT
                body = await payload.whole(request, receive, limit)
                # A presigned URL signs the empty body, whoever sends it.
                digest = sigv4.payload_hash_of(b"" if signature.presigned else body)
                authenticate.check(request, signature, key, digest, protocol)
        if known is None:
            raise not_built(asked.service, request.headers.get("x-amz-target", request.method))
        form = dict(parse.parse_form(body)) if protocol == "query" and isinstance(body, bytes) else {}
        matched = match(asked.service, request, form)
        if unsigned is not None and (asked.service, matched.operation.name) not in _UNSIGNED:
            raise authenticate.missing(protocol)
        call = Call(self._world, principal, region, asked.request_id)
        return await self._dispatch(call, matched, asked, body)

    async def _unsigned(self, asked: _Asked, receive: payload.Receive) -> bytes | None:
        """The body of an unsigned STS call, which may be a sign-in; None for any other request."""
        if asked.service != "sts" or "authorization" in asked.request.headers:
            return None
        return await payload.whole(asked.request, receive, payload.CONTROL_LIMIT)

    async def _dispatch(self, call: Call, matched: Matched, asked: _Asked, body: bytes | Body) -> Response:
        entry = self._table.get((matched.service, matched.operation.name))
        if entry is None:
            raise not_built(matched.service, matched.operation.name)
        blob = parse.streams(matched)
        if isinstance(body, Body) and not blob:
            body = await body.read(payload.CONTROL_LIMIT)
        elif blob and isinstance(body, bytes):
            body = Body(payload.once(body), len(body))
        params = parse.parse(matched, asked.request, body)
        validate.check(params, matched.operation.input_shape)
        if entry.streaming:
            output = await entry.function(call, params)
        else:
            loop = asyncio.get_running_loop()
            output = await loop.run_in_executor(self._threads, entry.function, call, params)
        return serialise(matched.operation, output or {}, call.request_id, asked.protocol)


_UNSIGNED = authenticate.UNSIGNED_OPERATIONS


def _asked(request: Request, request_id: str) -> _Asked:
    try:
        signature = sigv4.read(request)
    except sigv4.MalformedError:
        signature = None
    service = service_of(request, signature.service if signature else None)
    known = model.service(service)
    protocol = known.metadata["protocol"] if known is not None else "json"
    if protocol == "query" and "x-amz-target" in request.headers:
        protocol = "json"
    return _Asked(request, service, protocol, request_id)


def _error(error: AwsError, asked: _Asked) -> Response:
    if error.status >= 500:
        log.warning("%s: %s %s", asked.service, error.code, error.message)
    return serialise_error(error, asked.service, asked.protocol, asked.request_id, asked.request.path)


def _request(scope: Scope) -> Request:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    path = scope["raw_path"].decode("latin-1") or "/"
    return Request(scope["method"], path, parse_query(scope["query_string"].decode("latin-1")), headers)
