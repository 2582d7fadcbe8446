"""Bodies on their way in: checksums, signatures, lengths that lie, and what is left of what was refused."""

from __future__ import annotations

import base64
import hashlib
import http.client
import zlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.wire.checksums import ALGORITHMS, Digest
from raw_s3 import Raw

CONTENT = b"some content"
CRC32 = base64.b64encode(zlib.crc32(CONTENT).to_bytes(4, "big")).decode()
WRONG = "AAAAAA=="
GIB = 1024**3


def keys(s3: Any, bucket: str) -> list[str]:
    return [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_checksum_is_checked_kept_and_given_back(raw: Raw, s3: Any, bucket: str, algorithm: str) -> None:
    digest = Digest((algorithm,))
    digest.update(CONTENT)
    right = digest.values()[algorithm]
    wrong = base64.b64encode(bytes(len(base64.b64decode(right)))).decode()
    header = f"x_amz_checksum_{algorithm.lower()}"
    assert raw("PUT", f"/{bucket}/wrong", CONTENT, **{header: wrong}).code == "BadDigest"
    assert raw("PUT", f"/{bucket}/odd", CONTENT, **{header: "AA=="}).code == "InvalidRequest"
    answer = raw("PUT", f"/{bucket}/right", CONTENT, **{header: right})
    assert (answer.status, answer.headers[header.replace("_", "-")]) == (200, right)
    assert keys(s3, bucket) == ["right"]
    head = s3.head_object(Bucket=bucket, Key="right", ChecksumMode="ENABLED")
    assert (head[f"Checksum{algorithm}"], head["ChecksumType"]) == (right, "FULL_OBJECT")
    assert f"Checksum{algorithm}" not in s3.head_object(Bucket=bucket, Key="right")
    found = s3.get_object_attributes(Bucket=bucket, Key="right", ObjectAttributes=["Checksum"])
    assert found["Checksum"][f"Checksum{algorithm}"] == right


def test_checksums_known_from_elsewhere() -> None:
    """The check values that the specifications state for `123456789`."""
    digest = Digest(("CRC32", "CRC32C", "CRC64NVME"))
    digest.update(b"123456789")
    found = {name: base64.b64decode(value).hex() for name, value in digest.values().items()}
    assert found["CRC32"] == "cbf43926"
    assert found["CRC32C"] == "e3069283"
    assert found["CRC64NVME"] == "ae8b14860a799888"


def test_two_checksums_are_one_too_many(raw: Raw, bucket: str) -> None:
    given = {"x_amz_checksum_crc32": CRC32, "x_amz_checksum_crc32c": WRONG}
    assert raw("PUT", f"/{bucket}/k", CONTENT, **given).code == "InvalidRequest"


@pytest.mark.parametrize(
    ("announced", "trailer", "code"),
    [
        ("x-amz-checksum-crc32", f"x-amz-checksum-crc32:{CRC32}", None),
        ("x-amz-checksum-crc32", f"x-amz-checksum-crc32:{WRONG}", "BadDigest"),
        ("x-amz-checksum-crc32", "", "MalformedTrailerError"),
    ],
)
def test_a_checksum_that_comes_behind_the_body(
    raw: Raw, s3: Any, bucket: str, announced: str, trailer: str, code: str | None
) -> None:
    assert raw.trailer(f"/{bucket}/k", CONTENT, announced, trailer).code == code
    assert keys(s3, bucket) == ([] if code else ["k"])


@pytest.mark.parametrize(
    ("digest", "code"),
    [
        (hashlib.md5(CONTENT).digest(), None),
        (hashlib.md5(b"other").digest(), "BadDigest"),
        (b"short", "InvalidDigest"),
    ],
)
def test_content_md5(raw: Raw, s3: Any, bucket: str, digest: bytes, code: str | None) -> None:
    answer = raw("PUT", f"/{bucket}/k", CONTENT, Content_MD5=base64.b64encode(digest).decode())
    assert answer.code == code
    assert keys(s3, bucket) == ([] if code else ["k"])


def test_a_delete_whose_list_was_changed_on_its_way_deletes_nothing(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=CONTENT)
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    for given in ({"Content_MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, {"x_amz_checksum_crc32": WRONG}):
        assert raw("POST", f"/{bucket}?delete", body, **given).code == "BadDigest"
    assert keys(s3, bucket) == ["k"]
    right = base64.b64encode(hashlib.md5(body).digest()).decode()
    assert raw("POST", f"/{bucket}?delete", body, Content_MD5=right).status == 200
    assert keys(s3, bucket) == []


def test_signed_chunks(raw: Raw, s3: Any, bucket: str) -> None:
    pieces = [b"a" * 70_000, b"b" * 9_000, b"c"]
    assert raw.chunks(f"/{bucket}/right", pieces).status == 200
    assert s3.get_object(Bucket=bucket, Key="right")["Body"].read() == b"".join(pieces)
    for wrong in range(3):
        answer = Raw(raw.clary).chunks(f"/{bucket}/wrong", pieces, wrong)
        assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert keys(s3, bucket) == ["right"]


@pytest.mark.parametrize("way", ["plain", "chunked"])
def test_ten_gigabytes_are_refused_before_they_come(raw: Raw, s3: Any, bucket: str, way: str) -> None:
    if way == "plain":
        headers = raw.signed("PUT", f"/{bucket}/k", "UNSIGNED-PAYLOAD")
        length = 10 * GIB
    else:
        declared = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        headers = raw.signed("PUT", f"/{bucket}/k", declared, x_amz_decoded_content_length=str(10 * GIB))
        length = 10 * GIB + 100_000
    raw.connection.putrequest("PUT", f"/{bucket}/k", skip_host=False)
    for name, value in {**headers, "Content-Length": str(length), "Expect": "100-continue"}.items():
        raw.connection.putheader(name, value)
    raw.connection.endheaders()
    answer = raw.answer()
    assert (answer.status, answer.code) == (400, "EntityTooLarge")
    assert answer.headers["connection"] == "close"


def test_a_body_that_ends_too_early(clary: Any, raw: Raw, s3: Any, bucket: str) -> None:
    headers = raw.signed("PUT", f"/{bucket}/k", "UNSIGNED-PAYLOAD")
    connection = http.client.HTTPConnection("127.0.0.1", clary.port)
    connection.putrequest("PUT", f"/{bucket}/k")
    for name, value in {**headers, "Content-Length": "20000000"}.items():
        connection.putheader(name, value)
    connection.endheaders(b"x" * 12_000_000)
    connection.close()
    declared = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    headers = raw.signed("PUT", f"/{bucket}/k", declared, x_amz_decoded_content_length="5")
    raw.connection.request("PUT", f"/{bucket}/k", b"5\r\nabcde\r\n", headers)
    assert raw.answer().code == "IncompleteBody"
    assert keys(s3, bucket) == []


def test_a_put_that_is_refused_early_leaves_the_connection_usable(s3: Any, bucket: str) -> None:
    """boto3 asks with `Expect: 100-continue`, and sends no body behind an error."""
    s3.put_object(Bucket=bucket, Key="k", Body=CONTENT)
    for _ in range(3):
        for code, given in (
            ("NoSuchBucket", {"Bucket": "no-such-bucket", "Key": "k"}),
            ("PreconditionFailed", {"Bucket": bucket, "Key": "k", "IfNoneMatch": "*"}),
            ("NotImplemented", {"Bucket": bucket, "Key": "k", "ACL": "public-read"}),
        ):
            with pytest.raises(ClientError) as error:
                s3.put_object(**given, Body=b"y" * 1_000_000)
            assert error.value.response["Error"]["Code"] == code
            assert keys(s3, bucket) == ["k"]


def test_a_client_that_sends_its_body_to_a_refused_put(raw: Raw, bucket: str) -> None:
    for size in (10, 3_000_000):
        assert raw("PUT", "/no-such-bucket/k", b"z" * size).code == "NoSuchBucket"
        assert raw("GET", f"/{bucket}?list-type=2").status == 200


def test_if_match_of_a_write(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"", IfMatch="*")
    assert error.value.response["Error"]["Code"] == "NoSuchKey"
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    s3.copy_object(Bucket=bucket, Key="k2", CopySource=f"{bucket}/k", IfNoneMatch="*")
    for key, given in (("k2", {"IfNoneMatch": "*"}), ("k", {"IfMatch": '"other"'})):
        with pytest.raises(ClientError) as error:
            s3.copy_object(
                Bucket=bucket, Key=key, CopySource=f"{bucket}/k", MetadataDirective="REPLACE", **given
            )
        assert error.value.response["Error"]["Code"] == "PreconditionFailed"
    s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=etag)


def test_tags_in_a_header(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"", Tagging="empty=&a%20b=c%2Bd")
    found = s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
    assert found == [{"Key": "empty", "Value": ""}, {"Key": "a b", "Value": "c+d"}]
    for tagging, code in (
        ("a=1&a=2", "InvalidTag"),
        ("a=%3Cb%3E", "InvalidTag"),
        ("k" * 129 + "=v", "InvalidTag"),
        ("&".join(f"k{n}=v" for n in range(11)), "BadRequest"),
    ):
        assert raw("PUT", f"/{bucket}/bad", b"", x_amz_tagging=tagging).code == code
    assert keys(s3, bucket) == ["k"]


def test_a_thousand_keys_deleted_at_once(s3: Any, bucket: str) -> None:
    for number in range(20):
        s3.put_object(Bucket=bucket, Key=f"{number}", Body=b"")
    named = [{"Key": f"{number}"} for number in range(1000)]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": named, "Quiet": True})
    assert "Deleted" not in answer and "Errors" not in answer
    assert keys(s3, bucket) == []
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": named})
    assert len(answer["Deleted"]) == 1000
    with pytest.raises(ClientError) as error:
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [*named, {"Key": "more"}]})
    assert error.value.response["Error"]["Code"] == "MalformedXML"
