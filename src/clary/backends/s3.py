"""Blobs as objects of one bucket of an outer S3, each under a name of its own that is written once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from clary.backends.blobs import Writer
from clary.backends.s3_url import Place
from clary.ports.objects import ObjectsError
from clary.settings import SettingsError

READ = 1024 * 1024
TRIES = 3
"""How often a read goes on where the connection broke off."""
AT_ONCE = 8
"""Requests of one join or delete."""
CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "max_attempts": 3},
    max_pool_connections=64,
    s3={"addressing_style": "path"},
    signature_version="s3v4",
    # Newer checksums are more than many an S3 knows; the signature or TLS covers what goes over the wire.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
_MISSING = ("404", "NoSuchBucket", "NotFound")
log = logging.getLogger("clary.objects")


class S3Blobs:
    """backends.blobs.Blobs. `start` says at once what will never work; an S3 that is down may come up."""

    piece = 8 * 1024 * 1024
    """One request each, and so much memory for each body on its way in."""

    def __init__(self, place: Place) -> None:
        self.place = place
        session = boto3.Session(place.access_key_id, place.secret_access_key)
        region = place.region or session.region_name or "us-east-1"
        self._client = session.client("s3", endpoint_url=place.endpoint, region_name=region, config=CONFIG)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="s3")
        self._guard = threading.Lock()
        self._found = False

    def start(self) -> None:
        """Find or make the bucket; SettingsError where the S3 refuses."""
        try:
            self._find_bucket()
        except NoCredentialsError as error:
            raise SettingsError(
                f"no credentials for the objects at {self.place}: put them into the URL or where AWS's tools "
                "look (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, a role)"
            ) from error
        except ClientError as error:
            if _status(error) < 500:
                raise SettingsError(f"the S3 refuses the objects at {self.place}: {error}") from error
            log.warning("%s", self._told(error))
        except BotoCoreError as error:
            log.warning("%s", self._told(error))

    def call(self, operation: str, name: str, **parameters: Any) -> Any:
        """One request for a blob, by boto3's name of the operation."""
        try:
            if not self._found:
                self._find_bucket()
            function: Callable[..., Any] = getattr(self._client, operation)
            return function(Bucket=self.place.bucket, Key=self.place.prefix + name, **parameters)
        except (BotoCoreError, ClientError) as error:
            raise self._told(error) from error

    def writer(self, name: str) -> Writer:
        return _S3Writer(self, name)

    def read(self, name: str, start: int, length: int) -> Iterator[bytes]:
        if not length:
            return iter(())
        return self._rest(name, start, start + length, self._open(name, start, start + length))

    def path(self, name: str) -> None:
        return None

    def join(self, name: str, parts: Sequence[tuple[str, int]]) -> None:
        """By the S3 itself, without the bytes coming here."""
        pieces = [part for part, size in parts if size]
        writer = _S3Writer(self, name)
        try:
            if pieces:
                writer.copy(pieces, self._threads)
            writer.finish(b"")
        except BaseException:
            writer.abort()
            raise

    def delete(self, names: Sequence[str]) -> None:
        for _ in self._threads.map(lambda name: self.call("delete_object", name), names):
            pass

    def sweep(self, names: Sequence[str]) -> None:
        self.delete(names)
        keys = {self.place.prefix + name for name in names}
        pages = self._client.get_paginator("list_multipart_uploads")
        try:
            for page in pages.paginate(Bucket=self.place.bucket, Prefix=self.place.prefix):
                for found in page.get("Uploads", ()):
                    if found["Key"] in keys:
                        name = found["Key"].removeprefix(self.place.prefix)
                        self.call("abort_multipart_upload", name, UploadId=found["UploadId"])
        except (BotoCoreError, ClientError) as error:
            raise self._told(error) from error

    def _open(self, name: str, start: int, end: int) -> Any:
        return self.call("get_object", name, Range=f"bytes={start}-{end - 1}")["Body"]

    def _rest(self, name: str, at: int, end: int, body: Any) -> Iterator[bytes]:
        """From `body`, and from where that breaks off from another: a blob never changes."""
        failures = 0
        try:
            while at < end:
                try:
                    chunk = body.read(READ)
                except BotoCoreError as error:
                    failures += 1
                    if failures > TRIES:
                        raise self._told(error) from error
                    body.close()
                    body = self._open(name, at, end)
                    continue
                at += len(chunk)
                yield chunk
        finally:
            body.close()

    def _find_bucket(self) -> None:
        with self._guard:
            if self._found:
                return
            try:
                self._client.head_bucket(Bucket=self.place.bucket)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _MISSING:
                    raise
                self._make_bucket()
            self._found = True

    def _make_bucket(self) -> None:
        region = self._client.meta.region_name
        where = {} if region == "us-east-1" else {"LocationConstraint": region}
        further = {"CreateBucketConfiguration": where} if where else {}
        self._client.create_bucket(Bucket=self.place.bucket, **further)

    def _told(self, error: Exception) -> ObjectsError:
        does = "refuses" if isinstance(error, ClientError) else "does not answer"
        text = f"The S3 at {self.place}, which keeps the objects of this Clary, {does}: {error}"
        return ObjectsError("ServiceUnavailable", text)


class _S3Writer:
    """One PutObject where the body is short, else a multipart upload."""

    def __init__(self, blobs: S3Blobs, name: str) -> None:
        self._blobs = blobs
        self._name = name
        self._upload = ""
        self._etags: list[str] = []

    def append(self, data: bytes) -> None:
        self._begin()
        found = self._call("upload_part", PartNumber=len(self._etags) + 1, Body=data)
        self._etags.append(found["ETag"])

    def copy(self, names: Sequence[str], threads: ThreadPoolExecutor) -> None:
        place = self._blobs.place
        self._begin()

        def one(number: int, name: str) -> str:
            source = {"Bucket": place.bucket, "Key": place.prefix + name}
            found = self._call("upload_part_copy", PartNumber=number, CopySource=source)
            return str(found["CopyPartResult"]["ETag"])

        self._etags += threads.map(one, range(1, len(names) + 1), names)

    def finish(self, rest: bytes) -> None:
        if not self._upload:
            self._blobs.call("put_object", self._name, Body=rest)
            return
        if rest:
            self.append(rest)
        parts = [{"PartNumber": number + 1, "ETag": etag} for number, etag in enumerate(self._etags)]
        self._call("complete_multipart_upload", MultipartUpload={"Parts": parts})
        self._upload = ""

    def abort(self) -> None:
        if not self._upload:
            return
        try:
            self._call("abort_multipart_upload")
        except ObjectsError as error:
            log.debug("%s is swept at the next start: %s", self._name, error)

    def _begin(self) -> None:
        if not self._upload:
            self._upload = self._blobs.call("create_multipart_upload", self._name)["UploadId"]

    def _call(self, operation: str, **parameters: Any) -> Any:
        return self._blobs.call(operation, self._name, UploadId=self._upload, **parameters)


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
