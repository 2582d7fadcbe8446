"""What the gateway answers to requests that break the model, and to operations that are not built."""

from __future__ import annotations

import ast
import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from clary.server import operations
from clary.wire import model


def raw(clary: Any, target: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """A signed JSON call that no client-side check has touched."""
    found = clary.credentials()
    headers = {"X-Amz-Target": f"SageMaker.{target}", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", clary.url + "/", data=body, headers=headers)
    keys = Credentials(found["access_key_id"], found["secret_access_key"])
    SigV4Auth(keys, "sagemaker", "us-east-1").add_auth(request)
    address = urlsplit(clary.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    connection.request("POST", "/", body, dict(request.headers.items()))
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        ({"Nonsense": 1, "ModelName": "x"}, "ValidationException", "Unknown field 'nonsense'"),
        ({}, "ValidationException", "'modelName' failed to satisfy constraint: Member must not be null"),
        ({"ModelName": 3}, "SerializationException", "modelName"),
        ({"ModelName": "a b"}, "ValidationException", "regular expression pattern"),
        ({"ModelName": "x" * 64}, "ValidationException", "length less than or equal to 63"),
        ({"ModelName": "ü"}, "ValidationException", "regular expression pattern"),
    ],
)
def test_bad_input_is_named(clary: Any, request_: dict[str, Any], code: str, words: str) -> None:
    status, answer = raw(clary, "DescribeModel", json.dumps(request_).encode())
    assert (status, answer["__type"]) == (400, code)
    assert words in answer["message"]


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff\xfe", b'"text"', b"[" * 100_000])
def test_what_is_no_json_object(clary: Any, body: bytes) -> None:
    status, answer = raw(clary, "ListModels", body)
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_enums_and_ranges(clary: Any) -> None:
    status, answer = raw(clary, "ListModels", b'{"SortOrder": "Sideways", "MaxResults": 101}')
    assert status == 400
    assert "2 validation errors" in answer["message"]
    assert "enum value set: [Ascending, Descending]" in answer["message"]
    assert "less than or equal to 100" in answer["message"]


def test_what_is_not_built_says_so(clary: Any) -> None:
    with pytest.raises(ClientError) as error:
        clary.client("sagemaker", retries=0).list_compilation_jobs()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "ListCompilationJobs is not built in Clary" in error.value.response["Error"]["Message"]
    with pytest.raises(ClientError) as error:
        clary.client("athena", retries=0).list_work_groups()
    assert "not built" in error.value.response["Error"]["Message"]
    status, answer = raw(clary, "MakeCoffee", b"{}")
    assert (status, answer["__type"]) == (400, "UnknownOperationException")


def test_a_huge_control_request_is_refused_unread(clary: Any) -> None:
    address = urlsplit(clary.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    connection.putrequest("POST", "/")
    found = clary.credentials()
    headers = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", clary.url + "/", data=b"", headers=headers)
    SigV4Auth(
        Credentials(found["access_key_id"], found["secret_access_key"]), "sagemaker", "us-east-1"
    ).add_auth(request)
    for name, value in request.headers.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(10 * 1024**3))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413


def test_cors_for_browsers(clary: Any) -> None:
    address = urlsplit(clary.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    asked = "authorization,x-amz-date,x-amz-target"
    connection.request(
        "OPTIONS", "/", headers={"Origin": "http://x", "Access-Control-Request-Headers": asked}
    )
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 204
    assert answer.headers["access-control-allow-headers"] == asked
    connection.request("POST", "/", b"{}", {"Origin": "http://x", "X-Amz-Target": "SageMaker.ListModels"})
    answer = connection.getresponse()
    assert answer.status == 403
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "x-amzn-errortype" in answer.headers["access-control-expose-headers"]


def test_every_operation_is_one_function_of_its_name_in_the_file_of_its_noun() -> None:
    for (service, name), entry in operations().items():
        assert model.operation(service, name) is not None
        if entry.where == "clary.resources.resource":
            continue
        path = Path("src") / Path(*entry.where.split(".")).with_suffix(".py")
        names = {
            n.name
            for n in ast.walk(ast.parse(path.read_text()))
            if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        resource = getattr(entry.function, "__self__", None)
        assert resource is not None or model.function_name(name) in names


def test_only_wire_reads_botocores_models() -> None:
    """Others may use AWS's clients (their settings and errors), never what describes the services."""
    allowed = {"botocore.config", "botocore.exceptions"}
    for path in Path("src/clary").rglob("*.py"):
        if path.is_relative_to("src/clary/wire"):
            continue
        tree = ast.parse(path.read_text())
        taken = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        taken |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        assert {name for name in taken if name.split(".")[0] == "botocore"} <= allowed, path
