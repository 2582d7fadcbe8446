"""Signed requests by hand, which no client has checked, and answers read as botocore reads them."""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.parsers import create_parser

SECONDS = 20
SCOPES = {"sagemaker-runtime": "sagemaker", "cloudwatch": "monitoring"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def read_as(self, protocol: str, shape: Any = None) -> dict[str, Any]:
        """The answer (or its error) as a client of `protocol` understands it."""
        told = {"status_code": self.status, "headers": dict(self.headers), "body": self.body}
        return dict(create_parser(protocol).parse(told, shape))


def headers_of(
    clary: Any,
    service: str,
    method: str,
    path: str,
    body: bytes | str,
    headers: Mapping[str, str],
    token: str | None = None,
) -> dict[str, str]:
    """The headers with a signature by Clary's own key."""
    found = clary.credentials()
    data = body.encode() if isinstance(body, str) else body
    request = AWSRequest(method, clary.url + path, data=data, headers=dict(headers))
    if service == "s3":
        request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(data).hexdigest()
    keys = Credentials(found["access_key_id"], found["secret_access_key"], token)
    scope = SCOPES.get(service, service)
    (S3SigV4Auth if service == "s3" else SigV4Auth)(keys, scope, "us-east-1").add_auth(request)
    return dict(request.headers.items())


class Wire:
    """One kept connection to a Clary."""

    def __init__(self, clary: Any) -> None:
        self.clary = clary
        address = urlsplit(clary.url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=SECONDS)

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | str = b"") -> Answer:
        data = body.encode() if isinstance(body, str) else body
        self._connection.request(method, path, data, dict(headers))
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.getheader("connection") == "close":
            self._connection.close()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, content)

    def signed(
        self,
        service: str,
        method: str,
        path: str,
        body: bytes | str = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        made = headers_of(self.clary, service, method, path, body, headers or {})
        return self.send(method, path, made, body)

    def json(self, service: str, target: str, body: bytes | str) -> Answer:
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
        return self.signed(service, "POST", "/", body, headers)
