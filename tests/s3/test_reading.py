"""Reading an object: ranges, parts, conditions and which of them wins, headers asked for, HEAD."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from raw_s3 import Raw, path_of

MIB = 1024 * 1024
PAST = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
FUTURE = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
CONTENT = b"0123456789"


@pytest.fixture
def etag(s3: Any, bucket: str) -> str:
    return str(s3.put_object(Bucket=bucket, Key="k", Body=CONTENT, CacheControl="max-age=1")["ETag"])


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-99", 206, CONTENT),
        ("bytes=9-99", 206, b"9"),
        ("bytes=10-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=4-2", 200, CONTENT),
        ("bytes=0-1,3-4", 200, CONTENT),
        ("lines=0-1", 200, CONTENT),
        ("bytes=" + "9" * 5000 + "-", 200, CONTENT),
    ],
)
def test_ranges(raw: Raw, bucket: str, etag: str, asked: str, status: int, content: bytes | None) -> None:
    answer = raw("GET", f"/{bucket}/k", Range=asked)
    assert answer.status == status
    if content is None:
        assert answer.code == "InvalidRange"
        return
    assert answer.body == content
    if status == 206:
        start = CONTENT.index(content)
        assert answer.headers["content-range"] == f"bytes {start}-{start + len(content) - 1}/10"
    head = raw("HEAD", f"/{bucket}/k", Range=asked)
    assert (head.status, head.headers["content-length"], head.body) == (status, str(len(content)), b"")


def test_an_empty_object_has_no_range(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert raw("GET", f"/{bucket}/empty").body == b""
    assert raw("GET", f"/{bucket}/empty", Range="bytes=0-").status == 416


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"If_Match": "SAME"}, 200),
        ({"If_Match": '"other", SAME'}, 200),
        ({"If_Match": "*"}, 200),
        ({"If_Match": '"other"'}, 412),
        ({"If_None_Match": "SAME"}, 304),
        ({"If_None_Match": "W/SAME"}, 304),
        ({"If_None_Match": '"other"'}, 200),
        ({"If_Modified_Since": FUTURE}, 304),
        ({"If_Modified_Since": PAST}, 200),
        ({"If_Unmodified_Since": PAST}, 412),
        ({"If_Unmodified_Since": FUTURE}, 200),
        # RFC 9110, 13.2.2: an etag wins over a time, and a failed match over a fresh copy.
        ({"If_Match": "SAME", "If_Unmodified_Since": PAST}, 200),
        ({"If_None_Match": '"other"', "If_Modified_Since": FUTURE}, 200),
        ({"If_None_Match": "SAME", "If_Modified_Since": PAST}, 304),
        ({"If_Match": '"other"', "If_None_Match": "SAME"}, 412),
        ({"If_Match": "SAME", "If_None_Match": "SAME"}, 304),
    ],
)
def test_which_condition_wins(
    raw: Raw, bucket: str, etag: str, conditions: dict[str, str], status: int
) -> None:
    given = {name: value.replace("SAME", etag) for name, value in conditions.items()}
    for method in ("GET", "HEAD"):
        answer = raw(method, f"/{bucket}/k", **given)
        assert answer.status == status
        if status == 304:
            assert answer.headers["etag"] == etag
            assert answer.headers["cache-control"] == "max-age=1"
            assert "last-modified" in answer.headers
        if status == 412 and method == "GET":
            assert answer.code == "PreconditionFailed"
        if status != 200:
            assert answer.body == b"" or (method == "GET" and status == 412)
    assert raw("GET", f"/{bucket}/k").body == CONTENT, "the connection must be in order after it"


def test_a_head_that_fails_has_no_body(raw: Raw, bucket: str) -> None:
    for path, status in ((f"/{bucket}/none", 404), ("/no-such-bucket", 404), ("/no-such-bucket/k", 404)):
        answer = raw("HEAD", path)
        assert (answer.status, answer.body) == (status, b"")
    assert raw("GET", f"/{bucket}/none").code == "NoSuchKey"
    assert raw("GET", "/no-such-bucket/k").code == "NoSuchBucket"


def test_the_parts_of_an_object(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m", ChecksumAlgorithm="SHA256")["UploadId"]
    at = {"Bucket": bucket, "Key": "m"}
    sent = {2: os.urandom(5 * MIB), 5: os.urandom(6 * MIB), 9: b"end"}
    parts = []
    for number, body in sent.items():
        given = {"PartNumber": number, "Body": body, "ChecksumAlgorithm": "SHA256"}
        made = s3.upload_part(**at, UploadId=upload, **given)
        parts.append({"PartNumber": number, "ETag": made["ETag"], "ChecksumSHA256": made["ChecksumSHA256"]})
    s3.complete_multipart_upload(**at, UploadId=upload, MultipartUpload={"Parts": parts})
    for number, body in enumerate(sent.values(), start=1):
        answer = s3.get_object(**at, PartNumber=number)
        assert answer["Body"].read() == body
        assert (answer["PartsCount"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (3, 206)
        assert s3.head_object(**at, PartNumber=number)["ContentLength"] == len(body)
    with pytest.raises(ClientError) as error:
        s3.get_object(**at, PartNumber=4)
    assert error.value.response["Error"]["Code"] == "InvalidPartNumber"
    with pytest.raises(ClientError) as error:
        s3.get_object(**at, PartNumber=1, Range="bytes=0-1")
    assert error.value.response["Error"]["Code"] == "InvalidRequest"
    found = s3.get_object_attributes(**at, ObjectAttributes=["ETag", "ObjectParts", "ObjectSize"], MaxParts=2)
    assert (found["ObjectSize"], found["ETag"][-2:]) == (11 * MIB + 3, "-3")
    listed = found["ObjectParts"]
    assert (listed["TotalPartsCount"], listed["IsTruncated"]) == (3, True)
    assert [(p["PartNumber"], p["Size"]) for p in listed["Parts"]] == [(1, 5 * MIB), (2, 6 * MIB)]


def test_part_number_one_of_a_simple_object(raw: Raw, bucket: str, etag: str) -> None:
    answer = raw("GET", f"/{bucket}/k?partNumber=1")
    assert (answer.status, answer.body, answer.headers["content-range"]) == (206, CONTENT, "bytes 0-9/10")
    assert raw("GET", f"/{bucket}/k?partNumber=2").status == 416


def test_headers_that_a_presigned_url_asks_for(raw: Raw, s3: Any, bucket: str, etag: str) -> None:
    asked = {
        "ResponseContentDisposition": 'attachment; filename="ü b.csv"',
        "ResponseContentType": "text/csv",
        "ResponseContentLanguage": "de",
        "ResponseCacheControl": "no-store",
        "ResponseExpires": datetime(2039, 12, 1, 16, tzinfo=UTC),
    }
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k", **asked})
    raw.connection.request("GET", path_of(url))
    answer = raw.answer()
    assert answer.body == CONTENT
    assert answer.headers["content-disposition"] == 'attachment; filename="ü b.csv"'
    assert (answer.headers["content-type"], answer.headers["content-language"]) == ("text/csv", "de")
    assert (answer.headers["cache-control"], answer.headers["expires"]) == (
        "no-store",
        "Thu, 01 Dec 2039 16:00:00 GMT",
    )
    broken = raw("GET", f"/{bucket}/k?response-content-type=%E2%82%AC")
    assert (broken.status, broken.code) == (400, "InvalidArgument")


def test_metadata_comes_back_byte_by_byte(raw: Raw, bucket: str) -> None:
    headers = {"x_amz_meta_name": "Jos\xe9 \xc3\xbc", "Content_Type": "text/plain; charset=utf-8"}
    assert raw("PUT", f"/{bucket}/k", CONTENT, **headers).status == 200
    answer = raw("HEAD", f"/{bucket}/k")
    assert answer.headers["x-amz-meta-name"] == "Jos\xe9 \xc3\xbc"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_an_object_that_is_replaced_while_it_is_read(clary: Any, s3: Any, bucket: str) -> None:
    """Whoever began to read the old one reads it to its end; nobody sees a mixture."""
    old, new = os.urandom(12 * MIB), os.urandom(12 * MIB)
    s3.put_object(Bucket=bucket, Key="k", Body=old)
    body = s3.get_object(Bucket=bucket, Key="k")["Body"]
    begun = body.read(MIB)
    s3.put_object(Bucket=bucket, Key="k", Body=new)
    assert begun + body.read() == old
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == new


def test_readers_among_writers(clary: Any, s3: Any, bucket: str) -> None:
    """Objects of different lengths under one key: each answer is one of them, with its own etag."""
    stop = threading.Event()
    bodies = [bytes([65 + n]) * (1000 + n) for n in range(20)]
    s3.put_object(Bucket=bucket, Key="k", Body=bodies[0])

    def write() -> None:
        own = clary.client("s3")
        while not stop.is_set():
            for body in bodies:
                own.put_object(Bucket=bucket, Key="k", Body=body)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(50):
            assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() in bodies
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("clary", ["disk"], indirect=True)
def test_a_client_that_goes_away_is_not_read_for(clary: Any, raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * (64 * MIB))

    def taken_in() -> int:
        counters = Path(f"/proc/{clary.process.pid}/io").read_text()
        return int(counters.split("rchar:")[1].split()[0])

    before = taken_in()
    raw.send("GET", f"/{bucket}/k")
    raw.connection.sock.close()
    time.sleep(1)
    assert taken_in() - before < 32 * MIB
