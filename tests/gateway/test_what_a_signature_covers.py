"""A signature is good for what was signed and nothing else, however the rest of the request is bent."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from clary.backends.identity import LocalIdentity
from gateway.signed import Answer, Wire, headers_of
from gateway.test_http import FORM, LIST, Line

BUCKET = "covered"


@pytest.fixture
def wire(clary: Any) -> Wire:
    return Wire(clary)


@pytest.fixture
def s3(clary: Any) -> Any:
    found = clary.client("s3")
    found.create_bucket(Bucket=BUCKET)
    found.put_object(Bucket=BUCKET, Key="open", Body=b"for all")
    found.put_object(Bucket=BUCKET, Key="closed", Body=b"for nobody")
    return found


def presigned(wire: Wire, url: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    parts = urlsplit(url)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return wire.send(method, f"{parts.path}?{parts.query}", named, body)


def get(s3: Any, seconds: int = 60) -> str:
    return str(s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "open"}, ExpiresIn=seconds))


def put(s3: Any) -> str:
    return str(s3.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": "open"}))


def test_a_url_to_put_is_none_to_copy(wire: Wire, s3: Any) -> None:
    answer = presigned(wire, put(s3), "PUT", X_Amz_Copy_Source=f"{BUCKET}/closed")
    assert (answer.status, answer.read_as("rest-xml")["Error"]["Code"]) == (403, "AccessDenied")
    assert answer.read_as("rest-xml")["Error"]["HeadersNotSigned"] == "x-amz-copy-source"
    assert s3.get_object(Bucket=BUCKET, Key="open")["Body"].read() == b"for all"
    assert presigned(wire, put(s3), "PUT", b"new").status == 200


def test_a_url_of_one_service_opens_no_other(wire: Wire, clary: Any, s3: Any) -> None:
    target = "SageMaker.CreateModel"
    who = clary.client("sts").generate_presigned_url("get_caller_identity", HttpMethod="POST")
    for url, method in ((who, "POST"), (put(s3), "PUT"), (get(s3), "GET")):
        answer = presigned(wire, url, method, b'{"ModelName": "x"}', X_Amz_Target=target)
        assert answer.status == 403, answer.text
    made = headers_of(clary, "sts", "POST", "/", b"{}", LIST)
    answer = wire.send("POST", "/", made, b"{}")
    assert (answer.status, answer.read_as("query")["Error"]["Code"]) == (400, "InvalidAction")
    made = headers_of(clary, "sagemaker", "POST", "/", b"{}", {"X-Amz-Target": "Logs_20140328.ListTags"})
    assert wire.send("POST", "/", made, b"{}").read_as("json")["Error"]["Code"] == "UnknownOperationException"


def test_a_target_that_is_not_signed(wire: Wire, clary: Any) -> None:
    made = headers_of(clary, "sagemaker", "POST", "/", b"{}", {}) | LIST
    error = wire.send("POST", "/", made, b"{}").read_as("json")["Error"]
    assert (error["Code"], "x-amz-target" in error["Message"]) == ("InvalidSignatureException", True)


def test_the_caller_may_be_asked_by_url(wire: Wire, clary: Any) -> None:
    for method in ("GET", "POST"):
        url = clary.client("sts").generate_presigned_url("get_caller_identity", HttpMethod=method)
        answer = presigned(wire, url, method)
        assert (answer.status, "assumed-role/ClaryExecutionRole/owner" in answer.text) == (200, True)
        assert presigned(wire, url, method, b"Action=GetSessionToken", **FORM).status == 403


def test_a_url_opens_for_its_time_and_as_it_was_made(wire: Wire, clary: Any, s3: Any) -> None:
    short = get(s3, 1)
    assert presigned(wire, get(s3)).body == b"for all"
    assert presigned(wire, get(s3) + "&versionId=null").status == 403
    assert presigned(wire, get(s3) + "&X-Amz-Expires=600000").status == 403
    assert presigned(wire, get(s3).replace("X-Amz-Expires=60", "X-Amz-Expires=61")).status == 403
    for wrong in ("0", "604801", "-1", "%C2%B2", "1e3", ""):
        answer = presigned(wire, get(s3).replace("X-Amz-Expires=60", f"X-Amz-Expires={wrong}"))
        assert (answer.status, "604800" in answer.text) == (400, True), answer.text
        assert answer.read_as("rest-xml")["Error"]["Code"] == "AuthorizationQueryParametersError"
    made = headers_of(clary, "s3", "GET", "/", b"", {})
    answer = presigned(wire, get(s3), Authorization=made["Authorization"])
    assert (answer.status, "Only one auth mechanism allowed" in answer.text) == (400, True)
    time.sleep(1.2)
    assert "Request has expired" in presigned(wire, short).text


def test_a_url_of_signature_version_2_says_what_to_do(clary: Any, s3: Any) -> None:
    path = f"/{BUCKET}/open?AWSAccessKeyId=x&Signature=y&Expires=1900000000"
    answer = Wire(clary).send("GET", path, {})
    assert (answer.status, "signature_version='s3v4'" in answer.text) == (400, True)
    assert answer.read_as("rest-xml")["Error"]["Code"] == "InvalidRequest"


def signed_by(clary: Any, keys: Credentials, **headers: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = AWSRequest("POST", clary.url + "/", data=b"{}", headers=LIST | named)
    SigV4Auth(keys, "sagemaker", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def owner(clary: Any) -> Credentials:
    found = clary.credentials()
    return Credentials(found["access_key_id"], found["secret_access_key"])


def test_the_time_may_stand_in_the_date_header(wire: Wire, clary: Any) -> None:
    made = signed_by(clary, owner(clary), Date="today")
    assert "X-Amz-Date" not in made
    assert wire.send("POST", "/", made, b"{}").status == 200


@pytest.mark.parametrize(("minutes", "status"), [(-16, 403), (-14, 200), (14, 200), (16, 403)])
def test_a_quarter_of_an_hour(
    wire: Wire, clary: Any, minutes: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = (datetime.now(UTC) + timedelta(minutes=minutes)).replace(tzinfo=None)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: shown)
    answer = wire.send("POST", "/", signed_by(clary, owner(clary)), b"{}")
    assert answer.status == status
    assert status == 200 or answer.read_as("json")["Error"]["Message"].startswith("Signature expired: ")


def test_fields_of_the_authorization(wire: Wire, clary: Any) -> None:
    made = signed_by(clary, owner(clary))
    good = made["Authorization"]
    code = "IncompleteSignatureException"
    for bad in (
        "", "AWS4-HMAC-SHA256", good.replace("Signature=", "Signature=,"), good.replace("host;", ""),
        good.replace("us-east-1/", ""), good.replace("aws4_request", "aws5_request"),
        good.replace("Credential=", "Credential=\xe9"), good[:-2] + "\xe9\xe9",
    ):  # fmt: skip
        answer = wire.send("POST", "/", made | {"Authorization": bad}, b"{}")
        assert (answer.status, answer.read_as("json")["Error"]["Code"]) == (403, code), bad
    for bad in (good[:-1], good[:-4] + "0000", good.replace("us-east-1", "eu-west-1")):
        answer = wire.send("POST", "/", made | {"Authorization": bad}, b"{}")
        assert (answer.status, answer.read_as("json")["Error"]["Code"]) == (403, "InvalidSignatureException")
    # Without a way to remember every signature, a request may come again within its quarter of an hour.
    assert [wire.send("POST", "/", made, b"{}").status for _ in range(2)] == [200, 200]


def test_a_signed_header_that_comes_twice(clary: Any) -> None:
    line = Line(clary)
    made = signed_by(clary, owner(clary))
    line.request("POST", "/", made, b"{}", b"X-Amz-Target: SageMaker.ListEndpoints\r\nContent-Length: 2\r\n")
    answer = line.answer()
    assert (answer.status, "InvalidSignatureException" in answer.text) == (403, True)
    line.close()


def test_session_tokens(clary: Any) -> None:
    made = clary.client("sts").assume_role(RoleArn=clary.role, RoleSessionName="someone")["Credentials"]
    other = clary.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    over = LocalIdentity(clary.home).assume(clary.role, "late", -1)
    pairs = {
        "missing": (made["AccessKeyId"], made["SecretAccessKey"], None),
        "another's": (made["AccessKeyId"], made["SecretAccessKey"], other["SessionToken"]),
        "strange": (made["AccessKeyId"], made["SecretAccessKey"], "abc.def"),
        "over": (over.access_key_id, over.secret_access_key, over.session_token),
    }
    codes = {
        "s3": ("InvalidToken", "ExpiredToken"),
        "sts": ("InvalidClientTokenId", "ExpiredToken"),
        "sagemaker": ("UnrecognizedClientException", "ExpiredTokenException"),
    }
    calls = {"s3": "list_buckets", "sts": "get_caller_identity", "sagemaker": "list_models"}
    for service, (invalid, expired) in codes.items():
        for what, (key, secret, token) in pairs.items():
            speaker = boto3.client(
                service,
                endpoint_url=clary.url,
                region_name="us-east-1",
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                aws_session_token=token,
                config=Config(retries={"max_attempts": 0}),
            )
            with pytest.raises(ClientError) as error:
                getattr(speaker, calls[service])()
            wanted = expired if what == "over" else invalid
            assert error.value.response["Error"]["Code"] == wanted, (service, what)


def test_a_bucket_in_the_host(clary: Any, s3: Any) -> None:
    for host in (
        f"{BUCKET}.localhost:{clary.port}",
        f"{BUCKET}.s3.us-east-1.amazonaws.com",
        f"{BUCKET}.s3.amazonaws.com",
    ):
        request = AWSRequest("GET", f"http://{host}/open")
        request.headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
        from botocore.auth import S3SigV4Auth

        S3SigV4Auth(owner(clary), "s3", "us-east-1").add_auth(request)
        answer = Wire(clary).send("GET", "/open", {"Host": host, **dict(request.headers.items())})
        assert (answer.status, answer.body) == (200, b"for all")
