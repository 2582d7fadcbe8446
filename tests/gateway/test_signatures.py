"""Who is let in, and what the others are told, in each protocol's own words."""

from __future__ import annotations

import hashlib
import http.client
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

CODES = {
    "s3": {"key": "InvalidAccessKeyId", "signature": "SignatureDoesNotMatch", "skew": "RequestTimeTooSkewed"},
    "sts": {
        "key": "InvalidClientTokenId",
        "signature": "SignatureDoesNotMatch",
        "skew": "SignatureDoesNotMatch",
    },
    "sagemaker": {
        "key": "UnrecognizedClientException",
        "signature": "InvalidSignatureException",
        "skew": "InvalidSignatureException",
    },
}
CALLS = {"s3": "list_buckets", "sts": "get_caller_identity", "sagemaker": "list_models"}


def client(clary: Any, service: str, **keys: str) -> Any:
    found = clary.credentials()
    given = {
        "aws_access_key_id": found["access_key_id"],
        "aws_secret_access_key": found["secret_access_key"],
        **keys,
    }
    config = Config(retries={"max_attempts": 0})
    return boto3.client(service, endpoint_url=clary.url, region_name="us-east-1", config=config, **given)


@pytest.mark.parametrize("service", CALLS)
def test_a_right_signature_is_let_in(clary: Any, service: str) -> None:
    answer = getattr(client(clary, service), CALLS[service])()
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("service", CALLS)
def test_an_unknown_key_and_a_wrong_secret(clary: Any, service: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(client(clary, service, aws_access_key_id="AKIANOBODY"), CALLS[service])()
    assert error.value.response["Error"]["Code"] == CODES[service]["key"]
    with pytest.raises(ClientError) as error:
        getattr(client(clary, service, aws_secret_access_key="wrong"), CALLS[service])()
    assert error.value.response["Error"]["Code"] == CODES[service]["signature"]
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


RAW = {
    "s3": ("GET", {"X-Amz-Content-SHA256": hashlib.sha256(b"").hexdigest()}, b""),
    "sts": (
        "POST",
        {"Content-Type": "application/x-www-form-urlencoded"},
        b"Action=GetCallerIdentity&Version=2011-06-15",
    ),
    "sagemaker": (
        "POST",
        {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"},
        b"{}",
    ),
}


@pytest.mark.parametrize("minutes", [-20, 20])
@pytest.mark.parametrize("service", CALLS)
def test_a_clock_that_is_wrong(
    clary: Any, service: str, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = (datetime.now(UTC) + timedelta(minutes=minutes)).replace(tzinfo=None)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: shown)
    method, headers, body = RAW[service]
    request = AWSRequest(method, clary.url + "/", data=body, headers=headers)
    found = clary.credentials()
    keys = Credentials(found["access_key_id"], found["secret_access_key"])
    (S3SigV4Auth if service == "s3" else SigV4Auth)(keys, service, "us-east-1").add_auth(request)
    status, text = send(clary, method, "/", dict(request.headers.items()), body)
    assert status == 403
    assert CODES[service]["skew"] in text


def send(clary: Any, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, str]:
    address = urlsplit(clary.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_no_signature_at_all(clary: Any) -> None:
    status, text = send(clary, "GET", "/some-bucket/some-key", {})
    assert status == 403
    assert "AccessDenied" in text
    target = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}
    status, text = send(clary, "POST", "/", target, b"{}")
    assert status == 403
    assert "MissingAuthenticationToken" in text
    status, text = send(
        clary,
        "POST",
        "/",
        {"Content-Type": "application/x-www-form-urlencoded"},
        b"Action=GetCallerIdentity&Version=2011-06-15",
    )
    assert status == 403
    assert "MissingAuthenticationToken" in text


def test_a_malformed_authorization(clary: Any) -> None:
    status, text = send(clary, "GET", "/", {"Authorization": "AWS4-HMAC-SHA256 Credential=x"})
    assert status in (400, 403)
    assert "requires" in text
    status, text = send(clary, "GET", "/", {"Authorization": "Basic abc"})
    assert "is not supported" in text


def test_a_body_changed_on_the_way(clary: Any) -> None:
    found = clary.credentials()
    keys = Credentials(found["access_key_id"], found["secret_access_key"])
    headers = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", clary.url + "/", data=b"{}", headers=headers)
    SigV4Auth(keys, "sagemaker", "us-east-1").add_auth(request)
    status, text = send(clary, "POST", "/", dict(request.headers.items()), b'{"MaxResults":1}')
    assert status == 403
    assert "InvalidSignatureException" in text


def test_an_s3_body_changed_on_the_way_is_not_stored(clary: Any) -> None:
    s3 = clary.client("s3")
    s3.create_bucket(Bucket="changed-body")
    found = clary.credentials()
    keys = Credentials(found["access_key_id"], found["secret_access_key"])
    digest = hashlib.sha256(b"good").hexdigest()
    request = AWSRequest("PUT", clary.url + "/changed-body/key", data=b"good")
    request.headers["X-Amz-Content-SHA256"] = digest
    S3SigV4Auth(keys, "s3", "us-east-1").add_auth(request)
    status, text = send(clary, "PUT", "/changed-body/key", dict(request.headers.items()), b"evil")
    assert status == 400
    assert "XAmzContentSHA256Mismatch" in text
    assert s3.list_objects_v2(Bucket="changed-body")["KeyCount"] == 0


def test_presigned_urls_open_once_signed_and_expire(clary: Any) -> None:
    s3 = clary.client("s3")
    s3.create_bucket(Bucket="presigned")
    s3.put_object(Bucket="presigned", Key="a b/ü.txt", Body=b"hello")
    url = urlsplit(
        s3.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "a b/ü.txt"})
    )
    assert send(clary, "GET", f"{url.path}?{url.query}", {}) == (200, "hello")
    status, text = send(clary, "GET", f"{url.path}?{url.query[:-4]}0000", {})
    assert (status, "SignatureDoesNotMatch" in text) == (403, True)
    status, text = send(clary, "GET", f"/presigned/other?{url.query}", {})
    assert status == 403


def test_temporary_credentials(clary: Any) -> None:
    made = clary.client("sts").assume_role(RoleArn=clary.role, RoleSessionName="someone")
    keys = made["Credentials"]
    assert made["AssumedRoleUser"]["Arn"].endswith("assumed-role/ClaryExecutionRole/someone")
    given = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
    assert client(clary, "sts", **given).get_caller_identity()["Arn"] == made["AssumedRoleUser"]["Arn"]
    with pytest.raises(ClientError) as error:
        client(clary, "s3", **given | {"aws_session_token": keys["SessionToken"][:-2] + "xx"}).list_buckets()
    assert error.value.response["Error"]["Code"] == "InvalidToken"


def test_a_sign_in_link_works_once(clary: Any) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "clary.cli", "link", "--home", str(clary.home)]
    link = subprocess.run(command, capture_output=True, text=True, check=True, env=clary.environment).stdout
    token = link.strip().partition("#token=")[2]
    unsigned = client(clary, "sts")
    ask = {
        "RoleArn": "arn:aws:iam::000000000000:role/ClaryStudio",
        "RoleSessionName": "studio",
        "WebIdentityToken": token,
    }
    assert unsigned.assume_role_with_web_identity(**ask)["Credentials"]["SessionToken"]
    with pytest.raises(ClientError) as error:
        unsigned.assume_role_with_web_identity(**ask)
    assert error.value.response["Error"]["Code"] == "InvalidIdentityToken"
    assert "clary link" in error.value.response["Error"]["Message"]
