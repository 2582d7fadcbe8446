"""Listing a bucket: the order, the pages, what is rolled up, and what is asked wrongly."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
from botocore.exceptions import ClientError

from raw_s3 import Raw

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
LAST = chr(0x10FFFF)
ODD = [
    "!",
    "a",
    "a-b",
    "a.csv",
    "a/b",
    "a//b",
    "a0",
    "b c",
    "b+c",
    "b%41",
    "z\tt",
    "z\rr",
    "é",
    "日本",
    "\uffee",
    LAST,
]


def fill(s3: Any, bucket: str, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")


def keys_of(pages: Any) -> list[str]:
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_keys_come_in_the_order_of_their_bytes(s3: Any, bucket: str, operation: str, size: int) -> None:
    fill(s3, bucket, *ODD)
    pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
    assert keys_of(pages) == sorted(ODD, key=str.encode)


def test_every_prefix_of_every_key_finds_it(s3: Any, bucket: str) -> None:
    fill(s3, bucket, *ODD)
    for prefix in {key[:length] for key in ODD for length in (1, 2)}:
        found = keys_of([s3.list_objects_v2(Bucket=bucket, Prefix=prefix)])
        assert found == sorted((key for key in ODD if key.startswith(prefix)), key=str.encode)


def test_the_last_of_all_characters_as_a_folder(s3: Any, bucket: str) -> None:
    fill(s3, bucket, f"a/{LAST}/1", f"a/{LAST}{LAST}", f"{LAST}/1", f"{LAST}/2", "b")
    page = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [p["Prefix"] for p in page["CommonPrefixes"]] == ["a/", f"{LAST}/"]
    assert keys_of([page]) == ["b"]
    page = s3.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="a/")
    assert [p["Prefix"] for p in page["CommonPrefixes"]] == [f"a/{LAST}/"]
    assert keys_of([page]) == [f"a/{LAST}{LAST}"]


def test_a_delimiter_may_be_long_and_anywhere(s3: Any, bucket: str) -> None:
    fill(s3, bucket, "x--1", "x--2", "x-3", "y--", "z")
    page = s3.list_objects_v2(Bucket=bucket, Delimiter="--")
    assert [p["Prefix"] for p in page["CommonPrefixes"]] == ["x--", "y--"]
    assert keys_of([page]) == ["x-3", "z"]
    page = s3.list_objects(Bucket=bucket, Delimiter="--", MaxKeys=1)
    assert (page["IsTruncated"], page["NextMarker"]) == (True, "x--")
    page = s3.list_objects(Bucket=bucket, Delimiter="--", Marker="x--", MaxKeys=10)
    assert keys_of([page]) == ["x-3", "z"]


def test_start_after_and_a_token_that_goes_on(s3: Any, bucket: str) -> None:
    fill(s3, bucket, "a", "b", "c", "d")
    first = s3.list_objects_v2(Bucket=bucket, StartAfter="a", MaxKeys=1)
    assert (keys_of([first]), first["StartAfter"], first["KeyCount"]) == (["b"], "a", 1)
    token = first["NextContinuationToken"]
    # A token stands before a StartAfter that is sent again with it.
    rest = s3.list_objects_v2(Bucket=bucket, StartAfter="a", ContinuationToken=token)
    assert (keys_of([rest]), rest["IsTruncated"]) == (["c", "d"], False)
    assert keys_of([s3.list_objects_v2(Bucket=bucket, StartAfter="bb")]) == ["c", "d"]


def test_no_keys_asked_for(s3: Any, bucket: str) -> None:
    fill(s3, bucket, "a")
    page = s3.list_objects_v2(Bucket=bucket, MaxKeys=0)
    assert (page["KeyCount"], page["IsTruncated"], page["MaxKeys"]) == (0, False, 0)
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000


@pytest.mark.parametrize(
    "query",
    [
        "max-keys=-1",
        "max-keys=many",
        "encoding-type=utf7",
        "continuation-token=",
        "continuation-token=%C3%BC",
        "continuation-token=%21%21",
    ],
)
def test_what_is_asked_wrongly(raw: Raw, bucket: str, query: str) -> None:
    answer = raw("GET", f"/{bucket}?list-type=2&{query}")
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_without_and_with_url_encoding(raw: Raw, s3: Any, bucket: str) -> None:
    keys = ["a+b c", "d%41/é~*"]
    fill(s3, bucket, *keys)
    for query, written in (("", keys), ("&encoding-type=url", [quote(key, safe="/*-._~") for key in keys])):
        found = ET.fromstring(raw("GET", f"/{bucket}?list-type=2{query}").body)
        assert [node.text for node in found.iter(f"{NAMESPACE}Key")] == written


def test_buckets_that_are_listed_page_by_page(s3: Any, bucket: str) -> None:
    for number in range(3):
        s3.create_bucket(Bucket=f"{bucket}-{number}")
    pages = s3.get_paginator("list_buckets").paginate(Prefix=bucket, PaginationConfig={"PageSize": 2})
    found = [[b["Name"] for b in page["Buckets"]] for page in pages]
    assert [len(page) for page in found] == [2, 2]
    assert [name for page in found for name in page] == [
        bucket,
        *(f"{bucket}-{number}" for number in range(3)),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "Abc",
        "a_b",
        "-ab",
        "ab-",
        "a..b",
        "10.0.0.1",
        "xn--ab",
        "sthree-ab",
        "ab-s3alias",
        "ab--ol-s3",
        "a" * 64,
    ],
)
def test_names_that_no_bucket_may_have(raw: Raw, name: str) -> None:
    assert raw("PUT", f"/{name}").code == "InvalidBucketName"


def test_uploads_that_are_going_on(s3: Any, bucket: str) -> None:
    ids = {}
    for key in ("a/1", "a/2", "b", "b", "c"):
        ids.setdefault(key, []).append(s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"])
    pages = list(
        s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    )
    found = [(u["Key"], u["UploadId"]) for page in pages for u in page.get("Uploads", [])]
    assert found == [(key, id) for key in sorted(ids) for id in ids[key]]
    after = s3.list_multipart_uploads(Bucket=bucket, KeyMarker="b")
    assert [u["Key"] for u in after["Uploads"]] == ["c"]
    rolled = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [p["Prefix"] for p in rolled["CommonPrefixes"]] == ["a/"]
    assert [u["Key"] for u in rolled["Uploads"]] == ["b", "b", "c"]
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    with pytest.raises(ClientError) as error:
        s3.list_parts(Bucket=bucket, Key="c", UploadId=ids["c"][0])
    assert error.value.response["Error"]["Code"] == "NoSuchUpload"
