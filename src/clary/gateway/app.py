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
from urllib.parse import urlsplit

from clary.gateway import authenticate, cors, page, payload, send
from clary.gateway.dispatch import Entry, Table
from clary.gateway.payload import Upload
from clary.ports.identity import Principal
from clary.ports.world import Call, World
from clary.wire import parse, sigv4, validate
from clary.wire.body import Body
from clary.wire.errors import AwsError, in_words_of, not_built
from clary.wire.request import Matched, Request, match, parse_query, protocol_of, service_of, with_bucket
from clary.wire.serialise import Response, serialise, serialise_error

log = logging.getLogger("clary.gateway")

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
INVOCATION_LIMIT = 25 * 1024 * 1024
HEADER_LIMIT = 64 * 1024
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
        self._built = frozenset(service for service, _ in table)
        self._host = urlsplit(world.url).hostname or ""
        self._studio = studio
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="operation")

    async def __call__(self, scope: Scope, receive: payload.Receive, send_: Send) -> None:
        request = _request(scope)
        request_id = str(uuid.uuid4())
        if request.method == "OPTIONS":
            await send.head(send_, Response(204, cors.preflight(request)), request_id, {})
            return
        upload = Upload(request, receive)
        response = None if "authorization" in request.headers else page.find(self._studio, request)
        if response is None:
            response = await self._answer(request, upload, request_id)
        # What users store may be a page: opened in a browser, it must not run as the Studio's own.
        response.headers.setdefault("content-security-policy", "sandbox")
        response.headers.setdefault("x-content-type-options", "nosniff")
        if upload.abandoned:
            response.headers["connection"] = "close"
        further = cors.headers(request)
        if request.method == "HEAD":
            await send.head(send_, response, request_id, further)
        else:
            await send.response(send_, response, request_id, further, upload)

    async def _answer(self, request: Request, upload: Upload, request_id: str) -> Response:
        asked = self._asked(request, request_id)
        try:
            return await self._call(asked, upload)
        except AwsError as error:
            return _error(error, asked)
        except Exception:
            log.exception("%s %s failed, request id %s", request.method, request.path, request_id)
            message = f"We encountered an internal error. The server's log has it under {request_id}."
            return _error(AwsError("InternalFailure", message, 500), asked)

    def _asked(self, request: Request, request_id: str) -> _Asked:
        try:
            signature = sigv4.read(request)
        except sigv4.MalformedError:
            signature = None
        service = service_of(request, signature.service if signature else None)
        return _Asked(request, service, protocol_of(request, service, self._built), request_id)

    async def _call(self, asked: _Asked, upload: Upload) -> Response:
        request, protocol = asked.request, asked.protocol
        if sum(len(name) + len(value) for name, value in request.headers.items()) > HEADER_LIMIT:
            raise AwsError("RequestHeaderSectionTooLarge", f"The headers exceed {HEADER_LIMIT} bytes")
        principal, region, body = await self._signed(asked, upload)
        form = _form(request, body) if protocol in ("query", "ec2") else {}
        seen = with_bucket(request, self._host) if asked.service == "s3" else request
        matched = match(asked.service, seen, form, self._built)
        operation = (asked.service, matched.operation.name)
        if principal is authenticate.ANONYMOUS and operation not in authenticate.UNSIGNED_OPERATIONS:
            raise authenticate.missing(protocol)
        entry = self._table.get(operation)
        if entry is None:
            raise not_built(*operation)
        call = Call(self._world, principal, region, asked.request_id)
        return await self._operate(entry, call, matched, asked, body)

    async def _signed(self, asked: _Asked, upload: Upload) -> tuple[Principal, str, bytes | Body]:
        """Who asks, for which region, and the body that the signature covers."""
        request, protocol = asked.request, asked.protocol
        signature = authenticate.read(request, protocol)
        if signature is None:
            # A sign-in to STS is unsigned, and only its body tells.
            if asked.service != "sts":
                raise authenticate.missing(protocol)
            body = await payload.whole(upload, payload.SIGN_IN_LIMIT)
            return authenticate.ANONYMOUS, self._world.region, body
        key = authenticate.find_key(signature, self._world.identity, protocol)
        authenticate.check_headers(request, signature, protocol)
        if asked.service == "s3":
            declared = request.headers.get("x-amz-content-sha256", sigv4.UNSIGNED)
            authenticate.check(request, signature, key, declared, protocol)
            streamed = request.method in ("PUT", "POST")
            found = payload.stream(request, upload, signature, key.secret) if streamed else b""
            return key.principal, signature.region, found
        limit = INVOCATION_LIMIT if asked.service == "sagemaker-runtime" else payload.CONTROL_LIMIT
        body = await payload.whole(upload, limit)
        authenticate.check(request, signature, key, sigv4.payload_hash_of(body), protocol)
        return key.principal, signature.region, body

    async def _operate(
        self, entry: Entry, call: Call, matched: Matched, asked: _Asked, body: bytes | Body
    ) -> Response:
        blob = parse.streams(matched)
        if isinstance(body, Body) and not blob:
            content = await body.read(payload.CONTROL_LIMIT)
            if matched.operation.http_checksum:
                payload.check_digests(asked.request, body.trailers, content)
            body = content
        elif blob and isinstance(body, bytes):
            body = Body(payload.once(body), len(body))
        if entry.streaming:
            output = await entry.function(call, _params(matched, asked, body))
            return serialise(matched.operation, output or {}, call.request_id, asked.protocol)

        def work() -> Response:
            output = entry.function(call, _params(matched, asked, body))
            return serialise(matched.operation, output or {}, call.request_id, asked.protocol)

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _params(matched: Matched, asked: _Asked, body: bytes | Body) -> dict[str, Any]:
    params = parse.parse(matched, asked.request, body)
    validate.check(params, matched.operation.input_shape)
    return params


def _form(request: Request, body: bytes | Body) -> dict[str, str]:
    """A query request's parameters, which may stand in the body or in the URL."""
    return dict(request.query) | dict(parse.parse_form(body) if isinstance(body, bytes) else ())


def _error(error: AwsError, asked: _Asked) -> Response:
    if error.status >= 500:
        log.warning("%s: %s %s", asked.service, error.code, error.message)
    told = in_words_of(error, asked.service, asked.protocol)
    return serialise_error(told, asked.protocol, asked.request_id, asked.request.path)


def _request(scope: Scope) -> Request:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    path = scope["raw_path"].decode("latin-1") or "/"
    return Request(scope["method"], path, parse_query(scope["query_string"].decode("latin-1")), headers)
