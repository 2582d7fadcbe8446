"""The worker's HTTP side: /ping and /invocations on a unix socket; the model is called in threads."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvicorn

from clary.containers.inference.invocation import (
    Answer,
    ClientError,
    Invocation,
    ModelFault,
    Served,
    media_type,
)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

DRAIN_SECONDS = 60
NEVER = 10**9
EXIT_HUNG = 70


class Application:
    """ASGI. A call of more than `timeout` seconds ends the worker: a hung thread cannot be stopped."""

    def __init__(self, served: Served, timeout: float) -> None:
        self._served = served
        self._timeout = timeout
        self._pool = ThreadPoolExecutor(served.threads, thread_name_prefix="model")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        route = (scope["method"], scope["path"])
        if route == ("GET", "/ping"):
            await _respond(send, 200, b"", "text/plain")
        elif route == ("POST", "/invocations"):
            body = await _body(receive)
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            await self._invoke(_invocation(body, headers), send)
        else:
            await _respond(send, 404, b"GET /ping and POST /invocations are served here", "text/plain")

    async def _invoke(self, call: Invocation, send: Send) -> None:
        loop = asyncio.get_running_loop()
        started: asyncio.Future[None] = loop.create_future()
        work = loop.run_in_executor(self._pool, self._answer, call, loop, started)
        await started
        done, _ = await asyncio.wait({work}, timeout=self._timeout)
        if not done:
            message = (
                f"The model did not answer within {self._timeout:g} seconds; its worker is started again"
            )
            await _respond(send, 504, message.encode(), "text/plain")
            _end_hung(message)
        status, answer = work.result()
        await _respond(send, status, answer.body, answer.content_type, answer.headers)

    def _answer(
        self, call: Invocation, loop: asyncio.AbstractEventLoop, started: asyncio.Future[None]
    ) -> tuple[int, Answer]:
        loop.call_soon_threadsafe(started.set_result, None)
        try:
            return 200, self._served.answer(call)
        except ClientError as error:
            return error.status, Answer(error.message.encode(), "text/plain")
        except ModelFault as error:
            text = str(error)
        except Exception as error:
            traceback.print_exc()
            text = describe(error)
        # Tells a traceback before it from one that ends the worker.
        print(f"[clary] answered 500: {text}", file=sys.stderr, flush=True)
        return 500, Answer(text.encode(), "text/plain")


def describe(error: BaseException) -> str:
    """`ValueError: text (inference.py, line 12)`: the innermost line that is not a library's."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame
        for frame in frames
        if "site-packages" not in frame.filename and __package__ not in _dotted(frame)
    ]
    where = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {error}{where}"


def run(served: Served, path: Path, timeout: float) -> None:
    """Answers on the socket until SIGTERM; then finishes the calls that it has."""
    config = uvicorn.Config(
        Application(served, timeout),
        lifespan="off",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_keep_alive=NEVER,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listen(path)])


def listen(path: Path) -> socket.socket:
    """A listening unix socket that only this user may reach; a dead one of that name is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # A socket's path is at most 107 bytes long: bind by a name relative to its folder.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        found.bind(path.name)
        Path(path.name).chmod(0o600)
    finally:
        os.chdir(before)
    found.listen(1024)
    return found


def _invocation(body: bytes, headers: Mapping[str, str]) -> Invocation:
    return Invocation(body, media_type(headers.get("content-type", "")), headers.get("accept", ""), headers)


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    pieces = [body]
    while message.get("more_body"):
        message = await receive()
        pieces.append(message.get("body", b""))
    return b"".join(pieces)


async def _respond(
    send: Send, status: int, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
) -> None:
    lines = {"content-type": content_type, "content-length": str(len(body)), **(headers or {})}
    start = {
        "type": "http.response.start",
        "status": status,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines.items()],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _end_hung(message: str) -> None:
    print(f"{message}. Where its threads stand:", file=sys.stderr, flush=True)
    faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
    sys.stderr.flush()
    # The answer is in the socket's buffer; a thread in C code or an endless loop ends with the process only.
    asyncio.get_running_loop().call_later(0.2, os._exit, EXIT_HUNG)


def _dotted(frame: traceback.FrameSummary) -> str:
    return frame.filename.replace(os.sep, ".")
