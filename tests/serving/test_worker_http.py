"""The HTTP client to the workers, against a server that answers byte for byte what a test wants."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from clary.backends.worker_http import HttpInvoker
from clary.containers.inference.serve import listen
from clary.ports.invoker import Reply, WorkerLost, WorkerTimeout, WorkerUnreachable

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Own: a\r\n\r\nok"


@dataclass
class Script:
    """How the server answers each request, in turn; and what it saw."""

    answers: list[list[bytes]]
    """Pieces to write, one after the other; an empty list closes the connection."""
    connections: int = 0
    requests: int = 0
    last: bytes = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int((re.search(rb"content-length: (\d+)", head) or [b"", b"0"])[1])
                self.last = head + await reader.readexactly(length)
                self.requests += 1
                pieces = self.answers.pop(0) if self.answers else [FINE]
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.01)
                if not pieces or b"nection: close" in pieces[0]:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


Ask = Callable[..., Awaitable[Reply]]


def play(path: Path, script: Script, scene: Callable[[Ask], Awaitable[None]]) -> None:
    async def run() -> None:
        server = await asyncio.start_unix_server(script.serve, path)
        client = HttpInvoker()

        async def ask(body: bytes = b"1,2", timeout: float = 5, **headers: str) -> Reply:
            return await client.invoke(path, body, headers or {"accept": "text/csv"}, timeout)

        await scene(ask)
        await client.close()
        server.close()

    asyncio.run(run())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s"


def test_one_connection_serves_many_requests(path: Path) -> None:
    script = Script([])

    async def scene(ask: Ask) -> None:
        for _ in range(5):
            reply = await ask()
            assert (reply.status, reply.body, reply.headers["x-own"]) == (200, b"ok", "a")

    play(path, script, scene)
    assert (script.connections, script.requests) == (1, 5)
    assert script.last.endswith(b"accept: text/csv\r\n\r\n1,2")


def test_requests_at_once_have_connections_of_their_own(path: Path) -> None:
    script = Script([])

    async def scene(ask: Ask) -> None:
        await asyncio.gather(*(ask() for _ in range(4)))
        await asyncio.gather(*(ask() for _ in range(4)))

    play(path, script, scene)
    assert (script.connections, script.requests) == (4, 8)


@pytest.mark.parametrize(
    ("pieces", "body"),
    [
        ([FINE[:10], FINE[10:40], FINE[40:]], b"ok"),
        (
            [
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Length: 0\r\n\r\n3\r\nab",
                b"c\r\n0\r\n\r\n",
            ],
            b"abc",
        ),
        ([b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\n", b"abc"], b"abc"),
        ([b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the", b" end"], b"to the end"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], b""),
    ],
)
def test_answers_in_every_form(path: Path, pieces: list[bytes], body: bytes) -> None:
    async def scene(ask: Ask) -> None:
        assert (await ask()).body == body
        assert (await ask()).body == b"ok"

    play(path, Script([pieces]), scene)


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([], "closed the connection before it had answered"),
        ([b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nabc"], "before it had answered"),
        ([b"220 mail.example ESMTP\r\nnection: close"], "is not HTTP"),
    ],
)
def test_a_broken_answer_is_never_asked_for_twice(path: Path, pieces: list[bytes], words: str) -> None:
    script = Script([[FINE], pieces])

    async def scene(ask: Ask) -> None:
        await ask()
        with pytest.raises(WorkerLost, match=words):
            await ask()

    play(path, script, scene)
    assert script.requests == 2


def test_time_is_limited(path: Path) -> None:
    async def scene(ask: Ask) -> None:
        with pytest.raises(WorkerTimeout, match=r"within 0\.2 seconds"):
            await ask(timeout=0.2)
        assert (await ask()).body == b"ok"

    play(path, Script([[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"]]), scene)


def test_a_large_body_arrives_whole(path: Path) -> None:
    script = Script([])
    body = bytes(range(256)) * 4 * 2000

    async def scene(ask: Ask) -> None:
        await ask(body)

    # asyncio's reader has a limit for lines only, so that the body may be longer.
    play(path, script, scene)
    assert script.last.endswith(b"\r\n\r\n" + body)


def test_a_callers_line_break_starts_no_header(path: Path) -> None:
    script = Script([])

    async def scene(ask: Ask) -> None:
        await ask(accept="a\r\nx-evil: 1")

    play(path, script, scene)
    assert b"\r\nx-evil" not in script.last


def test_nobody_there(path: Path) -> None:
    async def ask() -> None:
        await HttpInvoker().invoke(path, b"", {}, 5)

    with pytest.raises(WorkerUnreachable):
        asyncio.run(ask())
    assert not HttpInvoker().ping(path, 1)


@pytest.mark.parametrize(
    ("reads", "kind"),
    [
        # Linux says whether the other end had read it all: only then may it have been carried out.
        (0, WorkerUnreachable),
        (20, WorkerUnreachable),
        (1 << 20, WorkerLost),
    ],
)
def test_what_a_dying_worker_had_not_read_may_go_to_another(
    path: Path, reads: int, kind: type[Exception]
) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def die() -> None:
        connection, _ = listener.accept()
        time.sleep(0.1)
        if reads:
            connection.recv(reads)
        connection.close()

    worker = threading.Thread(target=die)
    worker.start()
    with pytest.raises(kind):
        asyncio.run(HttpInvoker().invoke(path, b"1,2,3", {}, 5))
    worker.join()
    listener.close()


def test_a_path_longer_than_an_address(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    listener = listen(folder / "0.sock")

    async def scene() -> Reply:
        script = Script([])
        async with await asyncio.start_unix_server(script.serve, sock=listener):
            return await HttpInvoker().invoke(folder / "0.sock", b"", {}, 5)

    assert asyncio.run(scene()).body == b"ok"
