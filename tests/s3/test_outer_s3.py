"""Objects in an outer S3: what lies there, what happens when it is away, and what stays after `kill -9`."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from clary.backends import s3_url
from clary.settings import SettingsError
from running import Clary, free_port
from seaweedfs import SECRET, SeaweedFS

MIB = 1024 * 1024


@pytest.fixture
def outer(tmp_path: Path) -> Iterator[SeaweedFS]:
    """A SeaweedFS that the test may kill."""
    made = SeaweedFS(tmp_path / "weed")
    made.start()
    yield made
    made.kill()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Clary]:
    """A Clary that is not started yet."""
    server = Clary(tmp_path / "home", free_port())
    yield server
    if server.process is not None and server.process.poll() is None:
        server.stop()


def up(house: Clary, url: str, **environment: str) -> Clary:
    house.arguments = ("--objects", url)
    house.start()
    return house


def blobs(outer: SeaweedFS, bucket: str) -> dict[str, int]:
    pages = outer.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}


def refused(house: Clary, *arguments: str) -> str:
    command = [sys.executable, "-m", "clary.cli", "up", "--home", str(house.home), "--port", str(house.port)]
    done = subprocess.run(
        [*command, *arguments], env=house.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_what_lies_there(seaweedfs: SeaweedFS, house: Clary) -> None:
    up(house, seaweedfs.url("lies-there/some/where"))
    s3 = house.client("s3")
    s3.create_bucket(Bucket="a-bucket")
    s3.put_object(Bucket="a-bucket", Key="../k", Body=b"one")
    s3.put_object(Bucket="a-bucket", Key="big", Body=b"x" * (20 * MIB))
    s3.copy_object(Bucket="a-bucket", Key="copy", CopySource="a-bucket/big")
    found = blobs(seaweedfs, "lies-there")
    assert sorted(found.values()) == [3, 20 * MIB]
    assert all(key.startswith("some/where/") for key in found)
    s3.delete_objects(Bucket="a-bucket", Delete={"Objects": [{"Key": "../k"}, {"Key": "big"}]})
    assert list(blobs(seaweedfs, "lies-there").values()) == [20 * MIB]
    s3.put_object(Bucket="a-bucket", Key="copy", Body=b"")
    with pytest.raises(ClientError):
        s3.put_object(
            Bucket="a-bucket", Key="bad", Body=b"x" * (9 * MIB), ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg=="
        )
    assert list(blobs(seaweedfs, "lies-there").values()) == [0]
    assert not list((house.home / "objects").glob("data/*/*"))


def test_credentials_from_where_aws_tools_look(
    seaweedfs: SeaweedFS, house: Clary, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plain = f"{seaweedfs.endpoint}/by-profile?region=eu-west-1"
    message = refused(house, "--objects", plain)
    assert "no credentials" in message and seaweedfs.endpoint in message
    profile = tmp_path / "home" / "aws" / "credentials"
    profile.parent.mkdir(parents=True)
    profile.write_text(f"[default]\naws_access_key_id = outer-key\naws_secret_access_key = {SECRET}\n")
    (tmp_path / "home" / "config.toml").write_text(f'objects = "{plain}"\n')
    house.start()
    house.client("s3").create_bucket(Bucket="b-bucket")
    house.client("s3").put_object(Bucket="b-bucket", Key="k", Body=b"content")
    assert list(blobs(seaweedfs, "by-profile").values()) == [7]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://bucket", "scheme"),
        ("http://", "host"),
        ("http://key@host", "key without a secret"),
        ("http://key:se/cret@host/bucket", "%2F"),
        ("http://host/bucket?colour=red", "colour"),
    ],
)
def test_urls_that_say_nothing(url: str, words: str) -> None:
    with pytest.raises(SettingsError) as error:
        s3_url.read(url)
    assert words in str(error.value) and "se/cret" not in str(error.value)


def test_a_url_that_says_nothing_stops_the_start(house: Clary) -> None:
    assert "objects must be a URL" in refused(house, "--objects", "s3://bucket")


def test_wrong_credentials_stop_the_start(
    seaweedfs: SeaweedFS, house: Clary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLARY_OBJECTS", seaweedfs.url().replace("outer%2F", "wrong-secret"))
    message = refused(house)
    assert "refuses" in message and seaweedfs.endpoint in message
    assert "wrong-secret" not in message


def test_objects_do_not_move_by_themselves(seaweedfs: SeaweedFS, house: Clary) -> None:
    up(house, seaweedfs.url("stay"))
    house.client("s3").create_bucket(Bucket="a-bucket")
    house.stop()
    house.arguments = ()
    assert "s3 bucket stay" in refused(house)
    assert "s3 bucket stay" in refused(house, "--objects", seaweedfs.url("elsewhere"))
    assert up(house, seaweedfs.url("stay")).client("s3").list_buckets()["Buckets"]


def test_an_s3_that_is_away(outer: SeaweedFS, house: Clary) -> None:
    up(house, outer.url())
    s3 = house.client("s3", retries=0)
    s3.create_bucket(Bucket="a-bucket")
    s3.put_object(Bucket="a-bucket", Key="k", Body=b"content")
    outer.kill()
    for call in (
        lambda: s3.put_object(Bucket="a-bucket", Key="new", Body=b"x"),
        lambda: s3.get_object(Bucket="a-bucket", Key="k"),
    ):
        with pytest.raises(ClientError) as error:
            call()
        answer = error.value.response
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert answer["Error"]["Code"] == "ServiceUnavailable"
        assert outer.endpoint in answer["Error"]["Message"]
        assert SECRET not in answer["Error"]["Message"]
    # What the house knows itself is answered; what cannot be deleted now is deleted later.
    assert s3.head_object(Bucket="a-bucket", Key="k")["ContentLength"] == 7
    s3.delete_object(Bucket="a-bucket", Key="k")
    house.kill()
    house.start()
    assert "does not answer" in house.log()
    assert SECRET not in house.log() and "outer%2F" not in house.log()
    s3 = house.client("s3", retries=0)
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["a-bucket"]
    outer.start()
    s3.put_object(Bucket="a-bucket", Key="new", Body=b"y")
    assert sorted(blobs(outer, "clary").values()) == [1, 7]
    house.stop()
    house.start()
    assert list(blobs(outer, "clary").values()) == [1]


def test_nothing_that_was_acknowledged_is_lost(outer: SeaweedFS, house: Clary) -> None:
    """Both are killed, one after the other, again and again, while clients write new objects and one anew."""
    up(house, outer.url())
    house.client("s3").create_bucket(Bucket="a-bucket")
    kept: dict[str, bytes] = {}
    tried: dict[str, list[bytes]] = {"0/same": [], "1/same": []}
    stop = threading.Event()

    def write(who: int) -> None:
        number, s3 = 0, house.client("s3", retries=0)
        while not stop.is_set():
            number += 1
            key = f"{who}/same" if number % 2 else f"{who}/{number}"
            body = os.urandom(9 * MIB if number % 5 == 0 else 1000)
            tried.get(key, []).append(body)
            try:
                s3.put_object(Bucket="a-bucket", Key=key, Body=body)
            except (BotoCoreError, ClientError):
                continue
            kept[key] = body
            if key in tried:
                tried[key] = [body]

    writers = [threading.Thread(target=write, args=(who,)) for who in range(2)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(2):
            time.sleep(0.7)
            house.kill()
            house.start()
            time.sleep(0.7)
            outer.kill()
            outer.start()
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert len(kept) >= 6
    s3 = house.client("s3")
    for key, body in kept.items():
        found = s3.get_object(Bucket="a-bucket", Key=key)["Body"].read()
        assert found in tried.get(key, [body]), key
    house.stop()
    house.start()
    listed = house.client("s3").list_objects_v2(Bucket="a-bucket")["Contents"]
    assert sorted(blobs(outer, "clary").values()) == sorted(item["Size"] for item in listed)
    assert "Uploads" not in outer.client().list_multipart_uploads(Bucket="clary")
