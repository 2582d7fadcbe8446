"""The port to object storage: buckets and keys as S3 counts them. Knows no HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from clary.wire.errors import AwsError


@dataclass(frozen=True, slots=True)
class Bucket:
    name: str
    created: datetime
    region: str


@dataclass(frozen=True, slots=True)
class Meta:
    """What a client states of an object: `headers` (lower case: content-type, ...), user metadata, tags."""

    headers: Mapping[str, str] = field(default_factory=dict)
    user: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    """Algorithm (CRC32, CRC32C, CRC64NVME, SHA1, SHA256) to base64; an upload's are empty still."""
    checksum_type: str = "FULL_OBJECT"


@dataclass(frozen=True, slots=True)
class Object:
    bucket: str
    key: str
    size: int
    etag: str
    """Without quotes."""
    modified: datetime
    meta: Meta = Meta()
    blob: str = ""
    """The backend's name of exactly these bytes: what is read is never another object of the same key."""
    part_sizes: Sequence[int] = ()
    """Of an object that came in parts."""
    upload: str = ""
    """The multipart upload that it came by."""


@dataclass(frozen=True, slots=True)
class Listing:
    objects: Sequence[Object]
    prefixes: Sequence[str]
    next: str | None
    """Where the next page starts (exclusive), None at the end."""


@dataclass(frozen=True, slots=True)
class Condition:
    """If-Match and If-None-Match of a write: an etag without quotes, or `*`."""

    if_match: str | None = None
    if_none_match: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    number: int
    etag: str
    size: int
    modified: datetime
    checksums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Upload:
    id: str
    bucket: str
    key: str
    started: datetime
    meta: Meta = Meta()


class ObjectsError(AwsError):
    """An S3 error: `code` is S3's own (NoSuchBucket, NoSuchKey, PreconditionFailed, BadDigest, ...)."""

    def __init__(self, code: str, message: str, **fields: str) -> None:
        super().__init__(code, message, _STATUS.get(code, 400), **fields)


class Replaced(ObjectsError):
    """The bytes of an Object that was looked up are gone: look it up again."""

    def __init__(self, key: str) -> None:
        super().__init__("OperationAborted", "The object was replaced meanwhile. Please try again.", Key=key)


_STATUS = {
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "NoSuchUpload": 404,
    "PreconditionFailed": 412,
    "BucketNotEmpty": 409,
    "BucketAlreadyOwnedByYou": 409,
    "OperationAborted": 409,
    "ServiceUnavailable": 503,
}


@dataclass(frozen=True, slots=True)
class Integrity:
    """What to compute of a body on its way in, and who says whether it is right before it is kept."""

    algorithms: Sequence[str] = ()
    check: Callable[[Mapping[str, str]], Mapping[str, str]] = lambda computed: {}
    """Gets algorithm -> base64 (MD5 always among them), answers the checksums to keep; raises to refuse."""


class Objects(Protocol):
    """All durable: when a write returns, the object survives `kill -9` and a power cut. Thread-safe.

    Reading and small calls are plain and blocking (call them in a thread); a body comes in as an async
    iterator of chunks, so that 10 GB never lie in memory.
    """

    def create_bucket(self, name: str, region: str) -> Bucket: ...
    def delete_bucket(self, name: str) -> None: ...
    def bucket(self, name: str) -> Bucket | None: ...
    def buckets(self) -> Sequence[Bucket]: ...

    async def put(
        self,
        bucket: str,
        key: str,
        body: AsyncIterator[bytes],
        meta: Meta,
        condition: Condition = Condition(),
        integrity: Integrity = Integrity(),
    ) -> Object: ...

    def put_file(self, bucket: str, key: str, path: Path, meta: Meta = Meta()) -> Object:
        """Copy a local file in; used by jobs' outputs."""

    def head(self, bucket: str, key: str) -> Object:
        """ObjectsError NoSuchKey or NoSuchBucket."""

    def read(self, item: Object, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Opened when this returns, so that nothing can replace it any more; Replaced where that was."""

    def path(self, item: Object) -> Path | None:
        """The local file of exactly these bytes (never write to it); None where they are elsewhere."""

    def list(
        self, bucket: str, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> Listing: ...

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        """All at once; what is not there is no error."""

    def copy(
        self, source: Object, bucket: str, key: str, meta: Meta, condition: Condition = Condition()
    ) -> Object:
        """Without the bytes being moved; Replaced."""

    def set_tags(self, bucket: str, key: str, tags: Mapping[str, str]) -> None: ...

    def start_upload(self, bucket: str, key: str, meta: Meta) -> Upload: ...
    async def put_part(
        self, upload: Upload, number: int, body: AsyncIterator[bytes], integrity: Integrity = Integrity()
    ) -> Part: ...
    def parts(self, upload: Upload) -> Sequence[Part]: ...
    def upload(self, bucket: str, key: str, id: str) -> Upload: ...
    def uploads(self, bucket: str) -> Sequence[Upload]: ...
    def complete(
        self,
        upload: Upload,
        parts: Sequence[tuple[int, str]],
        condition: Condition = Condition(),
        check: Callable[[Sequence[Part]], Mapping[str, str]] = lambda parts: {},
    ) -> Object:
        """`parts` are (number, etag) in order; `check` gets them, answers the checksums to keep, or raises.

        Done by one caller at a time: who comes later finds NoSuchUpload, and an object that names the upload.
        """

    def abort(self, upload: Upload) -> None: ...
