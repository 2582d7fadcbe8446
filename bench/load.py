"""One signed request, sent over and over through kept connections; a client that costs little itself."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: a host and port, or the path of a unix socket."""

    host: str = ""
    port: int = 0
    socket: str = ""

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.socket:
            return await asyncio.open_unix_connection(self.socket)
        return await asyncio.open_connection(self.host, self.port)


def target(url: str) -> Target:
    parts = urlsplit(url)
    return Target(parts.hostname or "", parts.port or 80)


def message(
    url: str, body: bytes, headers: dict[str, str], service: str, keys: tuple[str, str] = ("test", "test")
) -> bytes:
    """The bytes of a POST, signed as botocore signs it."""
    request = AWSRequest("POST", url, headers={"Content-Length": str(len(body)), **headers}, data=body)
    SigV4Auth(Credentials(*keys), service, "us-east-1").add_auth(request)
    return plain(url, body, dict(request.headers.items()))


def plain(url: str, body: bytes, headers: dict[str, str]) -> bytes:
    """The bytes of a POST that nobody signed."""
    parts = urlsplit(url)
    lines = [f"POST {parts.path or '/'} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection:
    """A connection kept for as long as the server keeps it; a server that closes gets a new one."""

    def __init__(self, place: Target) -> None:
        self.place = place
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> int:
        """Send it and read the whole answer; its status."""
        self.streams = self.streams or await self.place.connect()
        reader, writer = self.streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        if "content-length" in fields:
            await reader.readexactly(int(fields["content-length"]))
        elif fields.get("transfer-encoding") == "chunked":
            await _chunks(reader)
        if fields.get("connection") == "close":
            self.close()
        return int(lines[0].split(" ")[1])

    def close(self) -> None:
        if self.streams:
            self.streams[1].close()
        self.streams = None


async def _chunks(reader: asyncio.StreamReader) -> None:
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
    await reader.readline()


async def rate(place: Target, request: bytes, seconds: float, connections: int = 8) -> float:
    """Answers per second."""
    end = time.perf_counter() + seconds

    async def one() -> int:
        connection = Connection(place)
        answered = 0
        while time.perf_counter() < end:
            assert await connection.ask(request) == 200
            answered += 1
        connection.close()
        return answered

    begin = time.perf_counter()
    answered = sum(await asyncio.gather(*(one() for _ in range(connections))))
    return answered / (time.perf_counter() - begin)


async def latencies(place: Target, request: bytes, times: int) -> list[float]:
    """Seconds of each of `times` answers, one after the other over one connection."""
    connection = Connection(place)
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        assert await connection.ask(request) == 200
        found.append(time.perf_counter() - begin)
    connection.close()
    return found
