"""HTTP as it should not be: what a broken or hostile client sends, byte by byte."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.gateway.payload import Upload, whole
from clary.wire.errors import AwsError
from clary.wire.request import Request
from gateway.signed import Answer, Wire, headers_of

LIST = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TEN_GB = 10 * 1024**3


class Line:
    """A raw connection."""

    def __init__(self, clary: Any, seconds: float = 10) -> None:
        self.clary = clary
        self._socket = socket.create_connection(("127.0.0.1", clary.port), seconds)
        self._read = b""

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def request(
        self, method: str, path: str, headers: dict[str, str], body: bytes = b"", further: bytes = b""
    ) -> None:
        """`further` are header lines; a Content-Length is put only where none of them speaks of the body."""
        lines = {"Host": f"127.0.0.1:{self.clary.port}", **headers}
        if not re.search(rb"(?i)content-length|transfer-encoding", further):
            lines["Content-Length"] = str(len(body))
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
        self.write(head.encode("latin-1") + further + b"\r\n" + body)

    def answer(self) -> Answer:
        """One answer that declares its length."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines[1:])
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length", "0"))
        while len(self._read) < length:
            self._more()
        body, self._read = self._read[:length], self._read[length:]
        return Answer(int(lines[0].split()[1]), headers, body)

    def _more(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise EOFError(self._read)
        self._read += data

    def ended(self) -> bool:
        """Whether the server has closed, or does so while we wait."""
        try:
            return self._socket.recv(65536) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def line(clary: Any) -> Iterator[Line]:
    found = Line(clary)
    yield found
    found.close()


def signed(clary: Any, body: bytes = b"{}") -> dict[str, str]:
    return headers_of(clary, "sagemaker", "POST", "/", body, LIST)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A : b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\0c\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_400_and_the_line_is_cut(line: Line, data: bytes) -> None:
    line.write(data)
    assert line.answer().status == 400
    assert line.ended()


@pytest.mark.parametrize(
    "further",
    [
        b"Content-Length: 2\r\nContent-Length: 2\r\n",
        b"Content-Length: 2\r\nContent-Length: 7\r\n",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: +2\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
    ],
)
def test_a_length_that_two_readers_may_read_differently(clary: Any, line: Line, further: bytes) -> None:
    line.request("POST", "/", signed(clary), b"{}", further)
    assert line.answer().status == 400
    assert line.ended()


@pytest.mark.parametrize("further", [b"", b"Transfer-Encoding: chunked\r\n"])
def test_a_body_with_a_length_or_in_chunks_and_two_requests_on_a_line(
    clary: Any, line: Line, further: bytes
) -> None:
    body = b"2\r\n{}\r\n0\r\n\r\n" if further else b"{}"
    for _ in range(2):
        line.request("POST", "/", signed(clary), body, further)
    for _ in range(2):
        assert line.answer().status == 200


def test_forms_of_the_request_line(clary: Any, line: Line) -> None:
    line.request("POST", f"http://127.0.0.1:{clary.port}/", signed(clary), b"{}")
    assert line.answer().status == 200
    line.request("OPTIONS", "*", {})
    assert line.answer().status == 204
    line.write(b"GET /nothing HTTP/1.0\r\n\r\n")
    assert line.answer().status == 403
    assert line.ended()


def test_a_client_that_waits_for_100_continue(clary: Any, line: Line) -> None:
    expects = b"Expect: 100-continue\r\nContent-Length: "
    line.request("POST", "/", signed(clary), b"", expects + b"2\r\n")
    assert line.answer().status == 100
    line.write(b"{}")
    assert line.answer().status == 200
    line.request("POST", "/", signed(clary), b"", expects + b"9000000\r\n")
    assert line.answer().status == 413


@pytest.mark.parametrize(
    ("service", "method", "path", "headers", "status"),
    [
        ("sagemaker", "POST", "/", LIST, 413),
        ("sagemaker-runtime", "POST", "/endpoints/x/invocations", {"Content-Type": "text/csv"}, 413),
        ("logs", "POST", "/", {"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}, 413),
        ("sts", "POST", "/", FORM, 413),
        ("iam", "POST", "/", FORM, 413),
        ("s3", "PUT", "/large/key", {}, 400),
        ("s3", "POST", "/large?delete", {}, 400),
        ("athena", "POST", "/", {"X-Amz-Target": "AmazonAthena.ListWorkGroups"}, 413),
        (None, "POST", "/", FORM, 413),
        (None, "PUT", "/large/key", {}, 403),
    ],
)
def test_ten_gigabytes_are_refused_at_once(
    clary: Any, line: Line, service: str | None, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    made = headers_of(clary, service, method, path, b"", headers) if service else headers
    start = time.monotonic()
    line.request(method, path, made, b"x" * 1000, f"Content-Length: {TEN_GB}\r\n".encode())
    answer = line.answer()
    assert (answer.status, answer.headers["connection"]) == (status, "close")
    assert "TooLarge" in answer.headers["x-amzn-errortype"] or status == 403
    assert time.monotonic() - start < 2
    sent = 0
    with pytest.raises(OSError):
        while sent < TEN_GB:
            line.write(b"x" * (1 << 20))
            sent += 1 << 20
    assert sent < 1 << 30


def test_a_body_that_ends_too_soon_changes_nothing(clary: Any) -> None:
    s3 = clary.client("s3")
    s3.create_bucket(Bucket="cut-short")
    made = headers_of(clary, "s3", "PUT", "/cut-short/key", b"half of it", {})
    for further in (b"Content-Length: 20\r\n", b"Transfer-Encoding: chunked\r\n"):
        line = Line(clary)
        line.request("PUT", "/cut-short/key", made, b"half of it", further)
        time.sleep(0.2)
        line.close()
    time.sleep(0.3)
    assert s3.list_objects_v2(Bucket="cut-short")["KeyCount"] == 0
    assert "Traceback" not in clary.log()


def test_heads_that_are_too_large(clary: Any, line: Line) -> None:
    line.request("GET", "/bucket/key", {"X-Large": "a" * 70_000})
    answer = line.answer()
    assert (answer.status, b"RequestHeaderSectionTooLarge" in answer.body) == (400, True)
    endless = Line(clary)
    endless.write(b"GET / HTTP/1.1\r\n")
    with pytest.raises(OSError):
        for number in range(1000):
            endless.write(b"X-%d: %s\r\n" % (number, b"a" * 60_000))
    endless.close()


def test_a_silent_client_is_cut_off_in_the_middle_of_its_head(clary: Any) -> None:
    heads = [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"\r\n\r\n"]
    lines = [Line(clary, 45) for _ in heads]
    for line, head in zip(lines, heads, strict=True):
        line.write(head)
    # Another client is served meanwhile, and its kept line lives on.
    wire = Wire(clary)
    assert wire.json("sagemaker", "SageMaker.ListModels", b"{}").status == 200
    assert all(line.ended() for line in lines)
    assert wire.json("sagemaker", "SageMaker.ListModels", b"{}").status == 200


def test_a_silent_client_is_cut_off_in_the_middle_of_its_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clary.gateway.payload.IDLE_SECONDS", 0.1)

    async def never() -> Any:
        await asyncio.Event().wait()

    upload = Upload(Request("PUT", "/b/k", [], {"content-length": "5"}), never)
    with pytest.raises(AwsError, match="Idle connections"):
        asyncio.run(whole(upload, 10))
    assert upload.abandoned


@pytest.mark.parametrize(
    "path",
    ["//etc/passwd", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fpyproject.toml", "/a%00b",
     "/assets/../../server.py", "/.keep", "/assets", "/index.html/x", "/" + "a" * 5000, "/%ff%fe",
     "/assets/" + "b" * 300],
)  # fmt: skip
def test_paths_that_want_out_of_the_page(clary: Any, line: Line, path: str) -> None:
    line.request("GET", path, {})
    answer = line.answer()
    assert (answer.status, b"AccessDenied" in answer.body) == (403, True)
    assert "Traceback" not in clary.log()


@pytest.mark.parametrize(
    "key", ["a/../b", "../up", "//two", "a//b", "%2e%2e/x", ".", "..", "a\x01b", "ä/ö", "a+b c"]
)
def test_paths_that_are_keys(clary: Any, key: str) -> None:
    s3 = clary.client("s3")
    s3.create_bucket(Bucket="odd-keys")
    s3.put_object(Bucket="odd-keys", Key=key, Body=key.encode())
    assert s3.get_object(Bucket="odd-keys", Key=key)["Body"].read() == key.encode()
    with pytest.raises(ClientError, match=r"null character"):
        s3.get_object(Bucket="odd-keys", Key=f"{key}\0")
