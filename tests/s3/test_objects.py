"""What boto3 does with objects, all of it over HTTP."""

from __future__ import annotations

import http.client
import io
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

MIB = 1024 * 1024
KEYS = [
    "plain",
    "a",
    "a/b",
    "a//b",
    "../up",
    "/lead",
    "trail/",
    "sp ace+plus%41",
    "ünï/日本",
    "x" * 1024,
    "q?#&=",
]


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    answer = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("key", KEYS)
def test_any_key_is_a_good_key(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]})
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_key_that_is_too_long(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="x" * 1025, Body=b"")
    assert code(error) == ("KeyTooLongError", 400)


def test_metadata_and_headers_come_back(s3: Any, bucket: str) -> None:
    s3.put_object(
        Bucket=bucket,
        Key="k",
        Body=b"{}",
        ContentType="application/json",
        ContentEncoding="identity",
        CacheControl="no-store",
        Metadata={"who": "me"},
        Tagging="a=1&b=2",
    )
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ContentType"], head["CacheControl"], head["Metadata"]) == (
        "application/json",
        "no-store",
        {"who": "me"},
    )
    assert head["ContentEncoding"] == "identity"
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [
        {"Key": "a", "Value": "1"},
        {"Key": "b", "Value": "2"},
    ]
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "c", "Value": "3"}]


def test_big_files_go_and_come_in_parts(s3: Any, bucket: str, tmp_path: Path) -> None:
    content = os.urandom(23 * MIB + 5)
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB)
    s3.upload_fileobj(io.BytesIO(content), bucket, "big", Config=config)
    assert s3.head_object(Bucket=bucket, Key="big")["ETag"].strip('"').endswith("-3")
    s3.download_file(bucket, "big", str(tmp_path / "big"), Config=config)
    assert (tmp_path / "big").read_bytes() == content
    s3.copy({"Bucket": bucket, "Key": "big"}, bucket, "copy", Config=config)
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == content


def test_multipart_errors(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    at = {"Bucket": bucket, "Key": "m", "UploadId": upload}
    first = s3.upload_part(**at, PartNumber=1, Body=b"small")["ETag"]
    second = s3.upload_part(**at, PartNumber=2, Body=b"last")["ETag"]
    assert [p["Size"] for p in s3.list_parts(**at)["Parts"]] == [5, 4]
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["m"]

    def complete(*parts: tuple[int, str]) -> None:
        listed = [{"PartNumber": number, "ETag": etag} for number, etag in parts]
        s3.complete_multipart_upload(**at, MultipartUpload={"Parts": listed})

    for parts, expected in (
        (((1, first), (2, second)), "EntityTooSmall"),
        (((2, second), (1, first)), "InvalidPartOrder"),
        (((1, second),), "InvalidPart"),
        (((3, first),), "InvalidPart"),
    ):
        with pytest.raises(ClientError) as error:
            complete(*parts)
        assert code(error)[0] == expected
    s3.abort_multipart_upload(**at)
    with pytest.raises(ClientError) as error:
        complete((1, first))
    assert code(error) == ("NoSuchUpload", 404)


@pytest.mark.parametrize(
    ("range_", "expected"),
    [("bytes=0-3", b"0123"), ("bytes=-2", b"89"), ("bytes=8-", b"89"), ("bytes=5-100", b"56789")],
)
def test_ranges(s3: Any, bucket: str, range_: str, expected: bytes) -> None:
    s3.put_object(Bucket=bucket, Key="r", Body=b"0123456789")
    answer = s3.get_object(Bucket=bucket, Key="r", Range=range_)
    assert (answer["Body"].read(), answer["ResponseMetadata"]["HTTPStatusCode"]) == (expected, 206)
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="r", Range="bytes=10-")
    assert code(error) == ("InvalidRange", 416)


def test_conditions(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="c", Body=b"one", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="c", Body=b"two", IfNoneMatch="*")
    assert code(error) == ("PreconditionFailed", 412)
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="c", Body=b"two", IfMatch='"0"')
    assert code(error) == ("PreconditionFailed", 412)
    s3.put_object(Bucket=bucket, Key="c", Body=b"two", IfMatch=etag)
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="c", IfMatch=etag)
    assert code(error)[1] == 412
    now = s3.head_object(Bucket=bucket, Key="c")["ETag"]
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="c", IfNoneMatch=now)
    assert code(error)[1] == 304
    with pytest.raises(ClientError) as error:
        s3.head_object(Bucket=bucket, Key="c", IfModifiedSince=datetime.now(UTC) + timedelta(seconds=5))
    assert code(error)[1] == 304


def test_listing_pages_prefixes_and_delimiters(s3: Any, bucket: str) -> None:
    keys = [f"{folder}/{number:02d}" for folder in ("a", "b", "c") for number in range(7)] + ["top"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    for operation in ("list_objects_v2", "list_objects"):
        pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 3})
        assert [item["Key"] for page in pages for item in page["Contents"]] == keys
        for size in (1, 2, 10):
            pages = list(
                s3.get_paginator(operation).paginate(
                    Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}
                )
            )
            found = [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])]
            assert found == ["a/", "b/", "c/"]
            assert [item["Key"] for page in pages for item in page.get("Contents", [])] == ["top"]
    page = s3.list_objects_v2(Bucket=bucket, Prefix="b/", StartAfter="b/04")
    assert [item["Key"] for item in page["Contents"]] == ["b/05", "b/06"]


def test_copy_and_its_rules(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="from ü", Body=b"x", Metadata={"a": "1"}, ContentType="text/plain")
    s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from ü"})
    head = s3.head_object(Bucket=bucket, Key="to")
    assert (head["Metadata"], head["ContentType"]) == ({"a": "1"}, "text/plain")
    source = {"Bucket": bucket, "Key": "to"}
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket=bucket, Key="to", CopySource=source)
    assert code(error)[0] == "InvalidRequest"
    s3.copy_object(
        Bucket=bucket, Key="to", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"}
    )
    assert s3.head_object(Bucket=bucket, Key="to")["Metadata"] == {"b": "2"}
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket=bucket, Key="to2", CopySource={"Bucket": bucket, "Key": "none"})
    assert code(error) == ("NoSuchKey", 404)


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_are_kept_and_checked(s3: Any, bucket: str, algorithm: str) -> None:
    made = s3.put_object(Bucket=bucket, Key="s", Body=b"sum me", ChecksumAlgorithm=algorithm)
    got = s3.get_object(Bucket=bucket, Key="s", ChecksumMode="ENABLED")
    assert got[f"Checksum{algorithm}"] == made[f"Checksum{algorithm}"]
    assert got["Body"].read() == b"sum me"


def test_a_wrong_checksum_keeps_nothing(s3: Any, bucket: str) -> None:
    for wrong in ({"ContentMD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, {"ChecksumCRC32": "AAAAAA=="}):
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="w", Body=b"content", **wrong)
        assert code(error) == ("BadDigest", 400)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_bucket_that_several_clients_create_at_once(s3: Any, bucket: str) -> None:
    """Scripts of the SageMaker SDK that start together all make the default bucket."""
    with ThreadPoolExecutor(8) as pool:
        for number in range(10):
            list(pool.map(lambda name: s3.create_bucket(Bucket=name), [f"{bucket}-{number}"] * 8))


def test_buckets(s3: Any, bucket: str, clary: Any) -> None:
    s3.create_bucket(Bucket=bucket)
    assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=clary.account)
    with pytest.raises(ClientError) as error:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner="000000000000")
    assert code(error)[1] == 403
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    with pytest.raises(ClientError) as error:
        s3.delete_bucket(Bucket=bucket)
    assert code(error) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)
    for call in (lambda: s3.list_objects_v2(Bucket=bucket), lambda: s3.get_object(Bucket=bucket, Key="k")):
        with pytest.raises(ClientError) as error:
            call()
        assert code(error) == ("NoSuchBucket", 404)
    with pytest.raises(ClientError) as error:
        s3.create_bucket(Bucket="192.168.1.1")
    assert code(error)[0] == "InvalidBucketName"


def test_what_is_not_built_is_refused_by_name(s3: Any, bucket: str) -> None:
    for name, value in (
        ("ACL", "public-read"),
        ("StorageClass", "GLACIER"),
        ("ServerSideEncryption", "aws:kms:dsse"),
        ("SSEKMSKeyId", "alias/mine"),
    ):
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="k", Body=b"", **{name: value})
        assert code(error)[1] == 501
        assert name in error.value.response["Error"]["Message"]


def test_a_wish_for_encryption_is_taken_and_never_claimed_to_be_met(s3: Any, bucket: str) -> None:
    for wish in ("aws:kms", "AES256"):
        made = s3.put_object(Bucket=bucket, Key="k", Body=b"", ServerSideEncryption=wish)
        assert "ServerSideEncryption" not in made
    assert "ServerSideEncryption" not in s3.head_object(Bucket=bucket, Key="k")


def test_presigned_put_and_an_upload_cut_short(s3: Any, bucket: str, clary: Any) -> None:
    url = urlsplit(s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "up"}))
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    connection.request("PUT", f"{url.path}?{url.query}", b"by url")
    assert connection.getresponse().status == 200
    assert s3.get_object(Bucket=bucket, Key="up")["Body"].read() == b"by url"
    url = urlsplit(s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "cut"}))
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    connection.putrequest("PUT", f"{url.path}?{url.query}")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders(b"only the beginning")
    connection.close()
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["up"]


def test_a_page_from_s3_cannot_run_as_the_studio(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="x.html", Body=b"<script>1</script>", ContentType="text/html")
    headers = s3.get_object(Bucket=bucket, Key="x.html")["ResponseMetadata"]["HTTPHeaders"]
    assert "sandbox" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
