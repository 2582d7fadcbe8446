"""S3 requests that no SDK would send, signed as S3 wants them, on a connection that the test keeps."""

from __future__ import annotations

import hashlib
import hmac
import http.client
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

EMPTY = hashlib.sha256(b"").hexdigest()


class _Declared(S3SigV4Auth):
    """Signs the x-amz-content-sha256 that is there, whatever the body is."""

    def payload(self, request: AWSRequest) -> str:
        return str(request.context["declared"])


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        """S3's error code; None where the body is not an error."""
        return ET.fromstring(self.body).findtext("Code") if b"<Error>" in self.body else None


@dataclass
class Raw:
    clary: Any
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.clary.port, timeout=20)

    def __call__(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Headers are named with underscores."""
        self.send(method, path, body, **headers)
        return self.answer()

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> None:
        signed = self.signed(method, path, hashlib.sha256(body).hexdigest(), **headers)
        self.connection.request(method, path, body, signed)

    def answer(self) -> Answer:
        found = self.connection.getresponse()
        return Answer(found.status, {k.lower(): v for k, v in found.headers.items()}, found.read())

    def signed(self, method: str, path: str, declared: str, **headers: str) -> dict[str, str]:
        """The headers of a request whose x-amz-content-sha256 is `declared`."""
        keys = self.clary.credentials()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = AWSRequest(method, self.clary.url + path, headers=named)
        request.context["declared"] = declared
        credentials = Credentials(keys["access_key_id"], keys["secret_access_key"])
        _Declared(credentials, "s3", "us-east-1").add_auth(request)
        return {name: str(value) for name, value in request.headers.items()}

    def chunks(self, path: str, pieces: list[bytes], wrong: int | None = None) -> Answer:
        """PUT in signed chunks (aws-chunked), of which the one numbered `wrong` is changed on its way."""
        declared = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
        length = str(sum(map(len, pieces)))
        headers = self.signed("PUT", path, declared, x_amz_decoded_content_length=length)
        previous = headers["Authorization"].rpartition("Signature=")[2]
        body = b""
        for number, piece in enumerate([*pieces, b""]):
            previous = self._chunk_signature(headers, previous, piece)
            sent = b"?" * len(piece) if number == wrong else piece
            body += f"{len(piece):x};chunk-signature={previous}\r\n".encode() + sent + b"\r\n"
        self.connection.request("PUT", path, body, headers)
        return self.answer()

    def _chunk_signature(self, headers: dict[str, str], previous: str, piece: bytes) -> str:
        time = headers["X-Amz-Date"]
        secret = self.clary.credentials()["secret_access_key"]
        key = f"AWS4{secret}".encode()
        for text in (time[:8], "us-east-1", "s3", "aws4_request"):
            key = hmac.new(key, text.encode(), hashlib.sha256).digest()
        scope = f"{time[:8]}/us-east-1/s3/aws4_request"
        digest = hashlib.sha256(piece).hexdigest()
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{time}\n{scope}\n{previous}\n{EMPTY}\n{digest}"
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def trailer(self, path: str, content: bytes, announced: str, trailer: str) -> Answer:
        """PUT in one unsigned chunk with a trailer, as the SDKs send their checksums."""
        headers = self.signed(
            "PUT",
            path,
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            x_amz_decoded_content_length=str(len(content)),
            x_amz_trailer=announced,
        )
        end = f"{trailer}\r\n" if trailer else ""
        body = f"{len(content):x}\r\n".encode() + content + f"\r\n0\r\n{end}\r\n".encode()
        self.connection.request("PUT", path, body, headers)
        return self.answer()


def path_of(url: str) -> str:
    found = urlsplit(url)
    return f"{found.path}?{found.query}"
