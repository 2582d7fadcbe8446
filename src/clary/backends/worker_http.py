"""HTTP/1.1 to the workers over their unix sockets: kept-alive connections, one request at a time on each."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import httptools

from clary.ports.invoker import Reply, WorkerLost, WorkerTimeout, WorkerUnreachable

MAX_IDLE = 64
"""Kept connections for each worker."""
PIECE = 256 * 1024
LONGEST_PATH = 100
"""Bytes; a unix socket's address holds 107, and 103 on macOS."""


class HttpInvoker:
    """ports.invoker.Invoker. Belongs to one event loop.

    Plain non-blocking sockets instead of a client library: they say whether a byte of a request has left,
    which decides whether it may be sent again, and they cost a third of a library's time.
    """

    def __init__(self) -> None:
        self._idle: dict[Path, list[socket.socket]] = defaultdict(list)

    async def invoke(self, socket: Path, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        lines = "".join(f"{name}: {_clean(value)}\r\n" for name, value in headers.items())
        head = f"POST /invocations HTTP/1.1\r\nhost: worker\r\ncontent-length: {len(body)}\r\n{lines}\r\n"
        request = head.encode("latin-1", "replace")
        # A small body goes out with its head in one system call.
        pieces = [request + body] if len(body) <= PIECE else [request, body]
        try:
            async with asyncio.timeout(timeout):
                return await self._exchange(socket, pieces)
        except TimeoutError as error:
            raise WorkerTimeout(f"no answer within {timeout:g} seconds") from error

    def ping(self, socket: Path, timeout: float) -> bool:
        try:
            return _blocking_ping(socket, timeout)
        except OSError:
            return False

    async def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def _exchange(self, path: Path, pieces: list[bytes]) -> Reply:
        connection = self._kept(path)
        if connection is None or not await _sent(connection, pieces):
            # A kept connection that had died took nothing of the request: a fresh one may have it.
            connection = await _connect(path)
            if not await _sent(connection, pieces):
                raise WorkerUnreachable(f"{path} took nothing")
        try:
            reply, reusable = await _reply(connection)
        except BaseException:
            connection.close()
            raise
        if reusable and len(self._idle[path]) < MAX_IDLE:
            self._idle[path].append(connection)
        else:
            connection.close()
        return reply

    def _kept(self, path: Path) -> socket.socket | None:
        """A connection that its worker has not closed; the dead ones before it are dropped."""
        connections = self._idle.get(path)
        while connections:
            connection = connections.pop()
            try:
                connection.recv(1, socket.MSG_PEEK)
            except BlockingIOError:
                return connection
            except OSError:
                pass
            # Closed, or bytes that nobody asked for.
            connection.close()
        self._idle.pop(path, None)
        return None


class _Parsed:
    """What httptools tells of one response."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.pieces: list[bytes] = []
        self.done = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def on_message_complete(self) -> None:
        self.done = True


async def _reply(connection: socket.socket) -> tuple[Reply, bool]:
    """The reply, and whether the connection can be used again."""
    loop = asyncio.get_running_loop()
    parsed = _Parsed()
    parser = httptools.HttpResponseParser(parsed)
    try:
        while not parsed.done:
            data = await loop.sock_recv(connection, PIECE)
            if not data:
                if parsed.headers and not {"content-length", "transfer-encoding"} & parsed.headers.keys():
                    break  # a body of unknown length ends with its connection
                raise WorkerLost("the worker closed the connection before it had answered")
            parser.feed_data(data)
    except OSError as error:
        if not parsed.headers and _unread(error):
            raise WorkerUnreachable("the worker ended before it had read the request") from error
        raise WorkerLost(f"the connection broke: {error}") from error
    except httptools.HttpParserError as error:
        raise WorkerLost(f"the worker's answer is not HTTP: {error}") from error
    reply = Reply(parser.get_status_code(), parsed.headers, b"".join(parsed.pieces))
    # The parser's own should_keep_alive() says no as soon as the message is complete.
    kept = parser.get_http_version() == "1.1" and parsed.headers.get("connection", "").lower() != "close"
    return reply, parsed.done and kept


def _unread(error: OSError) -> bool:
    """Linux resets a unix connection whose other end went before it had read, or even accepted, everything.

    Where all was read, and so may have been carried out, there is an orderly end instead.
    """
    return sys.platform == "linux" and error.errno == errno.ECONNRESET


async def _sent(connection: socket.socket, pieces: list[bytes]) -> bool:
    """False, with the connection closed, where not one byte could be sent; WorkerLost where some were."""
    try:
        count = connection.send(pieces[0])
    except BlockingIOError:
        count = 0
    except OSError:
        connection.close()
        return False
    try:
        loop = asyncio.get_running_loop()
        if count < len(pieces[0]):
            await loop.sock_sendall(connection, memoryview(pieces[0])[count:])
        for piece in pieces[1:]:
            await loop.sock_sendall(connection, piece)
    except OSError as error:
        connection.close()
        raise WorkerLost(
            f"the worker closed the connection while it was sent the request: {error}"
        ) from error
    except BaseException:
        connection.close()
        raise
    return True


def _blocking_ping(path: Path, timeout: float) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, _address(path) as address:
        connection.settimeout(timeout)
        connection.connect(address)
        connection.sendall(b"GET /ping HTTP/1.1\r\nhost: worker\r\nconnection: close\r\n\r\n")
        return connection.recv(64).split(b" ")[1:2] == [b"200"]


async def _connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        with _address(path) as address:
            await asyncio.get_running_loop().sock_connect(connection, address)
    except OSError as error:
        connection.close()
        raise WorkerUnreachable(f"{path}: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def _address(path: Path) -> Iterator[str]:
    """An address that fits: a long path goes by way of its open folder, which Linux lists under /proc."""
    text = str(path)
    if len(os.fsencode(text)) <= LONGEST_PATH:
        yield text
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _clean(value: str) -> str:
    """A header value of one line: a caller's line breaks would start headers of their own."""
    return value.replace("\r", " ").replace("\n", " ")
