"""Multipart uploads and copies: what is joined, what is refused, and who may ask twice."""

from __future__ import annotations

import base64
import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.wire.checksums import Digest

MIB = 1024 * 1024
BIG, SMALL = os.urandom(5 * MIB), b"the end"


class Uploading:
    """An upload with two parts in it."""

    def __init__(self, s3: Any, bucket: str, algorithm: str = "CRC32", **how: Any) -> None:
        self.s3 = s3
        self.algorithm = algorithm
        made = s3.create_multipart_upload(Bucket=bucket, Key="m", **how)
        self.at = {"Bucket": bucket, "Key": "m", "UploadId": made["UploadId"]}
        self.parts = [self.part(1, BIG), self.part(2, SMALL)]

    def part(self, number: int, body: bytes) -> dict[str, Any]:
        made = self.s3.upload_part(**self.at, PartNumber=number, Body=body, ChecksumAlgorithm=self.algorithm)
        name = f"Checksum{self.algorithm}"
        return {"PartNumber": number, "ETag": made["ETag"], name: made[name]}

    def complete(self, parts: list[dict[str, Any]] | None = None, **how: Any) -> dict[str, Any]:
        listed = {"Parts": self.parts if parts is None else parts}
        return dict(self.s3.complete_multipart_upload(**self.at, MultipartUpload=listed, **how))

    def refused(self, parts: list[dict[str, Any]] | None = None, **how: Any) -> str:
        with pytest.raises(ClientError) as error:
            self.complete(parts, **how)
        return str(error.value.response["Error"]["Code"])


def sum_of(algorithm: str, content: bytes) -> str:
    digest = Digest((algorithm,))
    digest.update(content)
    return digest.values()[algorithm]


def test_parts_that_are_not_what_was_sent(s3: Any, bucket: str) -> None:
    upload = Uploading(s3, bucket)
    first, second = upload.parts
    assert upload.refused([second, first]) == "InvalidPartOrder"
    assert upload.refused([first, first]) == "InvalidPartOrder"
    assert upload.refused([first, {**second, "PartNumber": 3}]) == "InvalidPart"
    assert upload.refused([first, {**second, "ETag": first["ETag"]}]) == "InvalidPart"
    assert upload.refused([first, {**second, "ChecksumCRC32": first["ChecksumCRC32"]}]) == "InvalidPart"
    assert upload.refused([{"PartNumber": 1}]) == "MalformedXML"
    assert upload.refused([]) == "MalformedXML"
    assert upload.refused(MpuObjectSize=5) == "InvalidRequest"
    third = upload.part(3, b"more")
    assert upload.refused([first, second, third]) == "EntityTooSmall"
    # A part that is not listed is left out, and one that is sent again is another.
    upload.part(3, b"again")
    assert upload.refused([first, third]) == "InvalidPart"
    upload.complete([first, second])
    assert s3.get_object(Bucket=bucket, Key="m")["Body"].read() == BIG + SMALL


def test_a_part_may_be_numbered_from_1_to_10000(s3: Any, bucket: str) -> None:
    upload = Uploading(s3, bucket)
    for number in (0, 10_001):
        with pytest.raises(ClientError) as error:
            upload.part(number, b"x")
        assert error.value.response["Error"]["Code"] == "InvalidArgument"
    upload.complete([upload.part(10_000, b"only")])
    assert s3.get_object(Bucket=bucket, Key="m")["Body"].read() == b"only"


def test_an_upload_of_one_empty_part(s3: Any, bucket: str) -> None:
    upload = Uploading(s3, bucket)
    upload.complete([upload.part(1, b"")])
    assert s3.head_object(Bucket=bucket, Key="m")["ContentLength"] == 0


def test_a_complete_that_is_asked_twice_is_answered_twice(s3: Any, bucket: str) -> None:
    """A client that got no answer in time sends it again, also while the first is at work."""
    upload = Uploading(s3, bucket)
    with ThreadPoolExecutor(4) as threads:
        answers = [answer.result() for answer in [threads.submit(upload.complete) for _ in range(4)]]
    assert len({answer["ETag"] for answer in answers}) == 1
    assert upload.complete()["ETag"] == answers[0]["ETag"]
    s3.put_object(Bucket=bucket, Key="m", Body=b"another")
    assert upload.refused() == "NoSuchUpload"


def test_a_complete_with_a_condition(s3: Any, bucket: str) -> None:
    upload = Uploading(s3, bucket)
    s3.put_object(Bucket=bucket, Key="m", Body=b"first")
    assert upload.refused(IfNoneMatch="*") == "PreconditionFailed"
    assert s3.get_object(Bucket=bucket, Key="m")["Body"].read() == b"first"
    upload.complete(IfMatch=s3.head_object(Bucket=bucket, Key="m")["ETag"])
    assert s3.head_object(Bucket=bucket, Key="m")["ContentLength"] == len(BIG + SMALL)


def test_an_upload_that_is_aborted_is_gone(s3: Any, bucket: str) -> None:
    upload = Uploading(s3, bucket)
    s3.abort_multipart_upload(**upload.at)
    assert upload.refused() == "NoSuchUpload"
    with pytest.raises(ClientError) as error:
        upload.part(1, b"late")
    assert error.value.response["Error"]["Code"] == "NoSuchUpload"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA512", "XXHASH3"])
def test_a_checksum_of_checksums(s3: Any, bucket: str, algorithm: str) -> None:
    upload = Uploading(s3, bucket, algorithm, ChecksumAlgorithm=algorithm)
    sums = b"".join(base64.b64decode(sum_of(algorithm, body)) for body in (BIG, SMALL))
    expected = f"{sum_of(algorithm, sums)}-2"
    made = upload.complete()
    assert (made[f"Checksum{algorithm}"], made["ChecksumType"]) == (expected, "COMPOSITE")
    assert s3.head_object(Bucket=bucket, Key="m", ChecksumMode="ENABLED")[f"Checksum{algorithm}"] == expected


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_a_checksum_of_the_whole(s3: Any, bucket: str, algorithm: str) -> None:
    upload = Uploading(s3, bucket, algorithm, ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")
    expected = sum_of(algorithm, BIG + SMALL)
    wrong = sum_of(algorithm, BIG)
    assert upload.refused(**{f"Checksum{algorithm}": wrong, "ChecksumType": "FULL_OBJECT"}) == "BadDigest"
    made = upload.complete(**{f"Checksum{algorithm}": expected, "ChecksumType": "FULL_OBJECT"})
    assert (made[f"Checksum{algorithm}"], made["ChecksumType"]) == (expected, "FULL_OBJECT")
    # boto3 compares while it reads.
    assert s3.get_object(Bucket=bucket, Key="m", ChecksumMode="ENABLED")["Body"].read() == BIG + SMALL


def test_checksums_that_do_not_go_together(s3: Any, bucket: str) -> None:
    for how in (
        {"ChecksumAlgorithm": "SHA256", "ChecksumType": "FULL_OBJECT"},
        {"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "COMPOSITE"},
        {"ChecksumType": "COMPOSITE"},
    ):
        with pytest.raises(ClientError) as error:
            s3.create_multipart_upload(Bucket=bucket, Key="m", **how)
        assert error.value.response["Error"]["Code"] == "InvalidRequest"
    upload = Uploading(s3, bucket, "SHA256", ChecksumAlgorithm="SHA256")
    upload.algorithm = "CRC32"
    with pytest.raises(ClientError) as error:
        upload.part(3, b"x")
    assert "expected checksum Type: sha256" in error.value.response["Error"]["Message"]


def test_parts_that_are_copied(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="from/ü ?+", Body=BIG)
    upload = Uploading(s3, bucket, ChecksumAlgorithm="CRC32")
    source = {"Bucket": bucket, "Key": "from/ü ?+"}
    made = [
        s3.upload_part_copy(**upload.at, PartNumber=number, CopySource=source, **how)["CopyPartResult"]
        for number, how in ((1, {}), (2, {"CopySourceRange": f"bytes=1-{len(BIG) - 1}"}))
    ]
    for wrong in (f"bytes=0-{len(BIG)}", "bytes=5-1", "bytes=-5", "5-6"):
        with pytest.raises(ClientError) as error:
            s3.upload_part_copy(**upload.at, PartNumber=3, CopySource=source, CopySourceRange=wrong)
        assert error.value.response["Error"]["Code"] == "InvalidArgument"
    parts = [
        {"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}
        for number, part in enumerate(made, start=1)
    ]
    assert zlib.crc32(BIG).to_bytes(4, "big") == base64.b64decode(made[0]["ChecksumCRC32"])
    upload.complete(parts)
    assert s3.get_object(Bucket=bucket, Key="m")["Body"].read() == BIG + BIG[1:]


def test_a_copy_outlives_its_source(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=BIG, Metadata={"m": "1"}, Tagging="t=1")
    for key in ("b", "c"):
        s3.copy_object(Bucket=bucket, Key=key, CopySource=f"{bucket}/a")
    s3.put_object(Bucket=bucket, Key="a", Body=b"other")
    s3.delete_object(Bucket=bucket, Key="b")
    assert s3.get_object(Bucket=bucket, Key="c")["Body"].read() == BIG
    s3.copy_object(
        Bucket=bucket, Key="c", CopySource=f"{bucket}/c", TaggingDirective="REPLACE", Tagging="t=2"
    )
    found = s3.get_object(Bucket=bucket, Key="c")
    assert (found["Body"].read(), found["Metadata"]) == (BIG, {"m": "1"})
    assert s3.get_object_tagging(Bucket=bucket, Key="c")["TagSet"] == [{"Key": "t", "Value": "2"}]


def test_a_copy_with_another_checksum(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=BIG)
    made = s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a", ChecksumAlgorithm="SHA256")
    assert made["CopyObjectResult"]["ChecksumSHA256"] == sum_of("SHA256", BIG)
    found = s3.head_object(Bucket=bucket, Key="b", ChecksumMode="ENABLED")
    assert found["ChecksumSHA256"] == sum_of("SHA256", BIG)


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ({"CopySourceIfMatch": '"other"'}, "PreconditionFailed"),
        ({"CopySourceIfNoneMatch": "*"}, "PreconditionFailed"),
        ({"CopySourceIfMatch": "*"}, None),
    ],
)
def test_a_copy_with_a_condition(s3: Any, bucket: str, condition: dict[str, str], code: str | None) -> None:
    s3.put_object(Bucket=bucket, Key="what?versionId=1", Body=b"x")
    source = {"Bucket": bucket, "Key": "what?versionId=1"}
    if code is None:
        s3.copy_object(Bucket=bucket, Key="b", CopySource=source, **condition)
        return
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket=bucket, Key="b", CopySource=source, **condition)
    assert error.value.response["Error"]["Code"] == code
