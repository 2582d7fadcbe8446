"""A client of S3 that does everything that writes, and remembers what it was told."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from survival.ledger import Ledger, lost_if_dead

MIB = 1 << 20
KEYS = ("plain", "a/b", "a//b", "ünï/日本 ☃", "sp ace+plus%41", "../up", "large", "parts")


@dataclass(frozen=True)
class Stored:
    etag: str
    md5: str
    tags: tuple[tuple[str, str], ...] = ()
    kind: str = "binary/octet-stream"


@dataclass
class Upload:
    """A multipart upload that is open, as far as its client knows."""

    key: str
    md5s: list[str]
    made: Stored
    """The object that it becomes."""
    sent: int = 0
    ending: str = ""
    """The call that ends it and is under way: `abort` or `complete`."""


def content(chance: random.Random, size: int) -> bytes:
    """Bytes that differ from all others, cheap to make."""
    head = chance.randbytes(min(size, 64))
    return (head * (size // 64 + 1))[:size] if size else b""


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class ObjectClient:
    """Writes below a prefix of its own, where nobody else writes."""

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._s3, self._bucket, self._prefix = s3, bucket, prefix
        self._ledger: Ledger[Stored] = Ledger()
        self._touched: set[str] = set()
        self._uploads: dict[str, Upload] = {}
        self._maybe_begun: set[str] = set()

    def step(self, chance: random.Random) -> None:
        step, weight = zip(*_STEPS.items(), strict=True)
        chosen = chance.choices(step, weight)[0]
        chosen(self, self._prefix + chance.choice(KEYS), chance)

    def _put(self, key: str, chance: random.Random) -> None:
        large = key.endswith("large")
        size = chance.randrange(2 * MIB, 7 * MIB) if large else chance.choice([0, 1, 300, 70_000, 300_000])
        self._write(key, content(chance, size), chance)

    def _write(self, key: str, data: bytes, chance: random.Random, **condition: str) -> None:
        tags = (("run", str(chance.randrange(1000))),) if chance.random() < 0.5 else ()
        made = Stored(md5(data), md5(data), tags, chance.choice(["text/plain", "application/json"]))
        with self._call({key: made}):
            self._s3.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=data,
                ContentType=made.kind,
                Metadata={"md5": made.md5},
                Tagging="&".join(f"{k}={v}" for k, v in tags),
                **condition,
            )

    def _put_if(self, key: str, chance: random.Random) -> None:
        """A condition that holds, or one that does not and so changes nothing."""
        present = self._ledger.known.get(key)
        data = content(chance, 500)
        holds = {"IfMatch": present.etag} if present else {"IfNoneMatch": "*"}
        if chance.random() < 0.5:
            self._write(key, data, chance, **holds)
            return
        fails = {"IfNoneMatch": "*"} if present else {"IfMatch": "0" * 32}
        with lost_if_dead():
            try:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=data, **fails)
            except ClientError as error:
                # S3's answer to If-Match where there is nothing.
                assert error.response["Error"]["Code"] in ("PreconditionFailed", "NoSuchKey")
            else:
                raise AssertionError(f"{key} was written against its condition {fails}")

    def _copy(self, key: str, chance: random.Random) -> None:
        sources = [name for name in self._ledger.there() if name != key]
        if not sources:
            return
        source = chance.choice(sources)
        with self._call({key: self._ledger.there()[source]}):
            self._s3.copy_object(
                Bucket=self._bucket, Key=key, CopySource={"Bucket": self._bucket, "Key": source}
            )

    def _delete(self, key: str, chance: random.Random) -> None:
        with self._call({key: None}):
            self._s3.delete_object(Bucket=self._bucket, Key=key)

    def _delete_many(self, key: str, chance: random.Random) -> None:
        keys = {key, *(self._prefix + name for name in chance.sample(KEYS, 3))}
        with self._call(dict.fromkeys(keys)):
            found = self._s3.delete_objects(
                Bucket=self._bucket, Delete={"Objects": [{"Key": name} for name in keys]}
            )
        assert {item["Key"] for item in found["Deleted"]} == keys

    def _tag(self, key: str, chance: random.Random) -> None:
        present = self._ledger.known.get(key)
        if present is None:
            return
        tags = (("color", chance.choice(["red", "grün"])), ("n", str(chance.random())))
        made = Stored(present.etag, present.md5, tags, present.kind)
        with self._call({key: made}):
            written = [{"Key": k, "Value": v} for k, v in tags]
            self._s3.put_object_tagging(Bucket=self._bucket, Key=key, Tagging={"TagSet": written})

    def _upload(self, key: str, chance: random.Random) -> None:
        """Begin an upload of two parts, which stays open until it is finished, perhaps by the next server."""
        pieces = [content(chance, 5 * MIB), content(chance, chance.randrange(1, 100_000))]
        md5s = [md5(piece) for piece in pieces]
        joined = md5(b"".join(map(bytes.fromhex, md5s)))
        upload = Upload(key, md5s, Stored(f"{joined}-2", md5(b"".join(pieces))))
        place: dict[str, Any] = {"Bucket": self._bucket, "Key": key}
        self._maybe_begun.add(key)
        with lost_if_dead():
            metadata = {"md5": upload.made.md5}
            id = self._s3.create_multipart_upload(**place, Metadata=metadata)["UploadId"]
        self._maybe_begun.discard(key)
        self._uploads[id] = upload
        for number, piece in enumerate(pieces, 1):
            with lost_if_dead():
                part = self._s3.upload_part(**place, UploadId=id, PartNumber=number, Body=piece)
            assert part["ETag"].strip('"') == md5s[number - 1]
            upload.sent = number

    def _finish(self, key: str, chance: random.Random) -> None:
        whole = [id for id, upload in self._uploads.items() if upload.sent == 2]
        if not whole:
            return
        id = chance.choice(whole)
        upload = self._uploads[id]
        place: dict[str, Any] = {"Bucket": self._bucket, "Key": upload.key, "UploadId": id}
        upload.ending = "abort" if chance.random() < 0.2 else "complete"
        if upload.ending == "abort":
            with lost_if_dead():
                self._s3.abort_multipart_upload(**place)
        else:
            parts = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(upload.md5s, 1)]
            with self._call({upload.key: upload.made}):
                self._s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
        del self._uploads[id]

    def _read(self, key: str, chance: random.Random) -> None:
        """Any client's object, which may be overwritten at this moment: it comes whole, or not at all."""
        other = f"client{chance.randrange(3)}/{chance.choice(KEYS)}"
        with lost_if_dead():
            try:
                found = self._s3.get_object(Bucket=self._bucket, Key=other)
                data = found["Body"].read()
            except ClientError as error:
                assert error.response["Error"]["Code"] == "NoSuchKey"
                return
        assert (len(data), md5(data)) == (found["ContentLength"], found["Metadata"]["md5"])

    def _call(self, wishes: dict[str, Stored | None]) -> Any:
        self._touched |= wishes.keys()
        return self._ledger.write(wishes)

    # After a restart.

    def check(self, everything: bool = False) -> None:
        for key in sorted(map(self._prefix.__add__, KEYS) if everything else self._touched):
            self._ledger.settle(key, self._fetch(key))
        self._touched.clear()
        self._check_uploads()
        listed = {}
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix, PaginationConfig={"PageSize": 3}
        )
        for page in pages:
            listed |= {item["Key"]: item["ETag"].strip('"') for item in page.get("Contents", ())}
        assert listed == {key: value.etag for key, value in self._ledger.there().items()}

    def _fetch(self, key: str) -> Stored | None:
        try:
            found = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "NoSuchKey"
            return None
        digest = md5(found["Body"].read())
        assert digest == found["Metadata"]["md5"], f"{key} is torn"
        tags = self._s3.get_object_tagging(Bucket=self._bucket, Key=key)["TagSet"]
        pairs = tuple((tag["Key"], tag["Value"]) for tag in tags)
        return Stored(found["ETag"].strip('"'), digest, pairs, found["ContentType"])

    def _check_uploads(self) -> None:
        found = self._s3.list_multipart_uploads(Bucket=self._bucket, Prefix=self._prefix)
        listed = {item["UploadId"]: item["Key"] for item in found.get("Uploads", ())}
        strange = listed.keys() - self._uploads.keys()
        for id, upload in list(self._uploads.items()):
            self._check_upload(id, upload, id in listed)
        for id in strange:
            assert listed[id] in self._maybe_begun, (
                f"an upload of {listed[id]} that nobody began, or that ended"
            )
            self._s3.abort_multipart_upload(Bucket=self._bucket, Key=listed[id], UploadId=id)
        self._maybe_begun.clear()

    def _check_upload(self, id: str, upload: Upload, open_: bool) -> None:
        made = self._ledger.known.get(upload.key) == upload.made
        if not open_:
            assert upload.ending, f"the upload {id} of {upload.key} is lost"
            assert made == (upload.ending == "complete"), f"{upload.key} after its {upload.ending}"
            del self._uploads[id]
            return
        assert not made, f"{upload.key} is there, and its upload is still open"
        upload.ending = ""
        parts = self._s3.list_parts(Bucket=self._bucket, Key=upload.key, UploadId=id).get("Parts", [])
        assert [part["ETag"].strip('"') for part in parts] == upload.md5s[: len(parts)]
        # One more where the server was killed before it could say so.
        assert upload.sent <= len(parts) <= upload.sent + 1
        upload.sent = len(parts)
        if upload.sent < 2:
            self._s3.abort_multipart_upload(Bucket=self._bucket, Key=upload.key, UploadId=id)
            del self._uploads[id]

    def close(self) -> None:
        """End what is open, so that only objects are left."""
        for id, upload in self._uploads.items():
            self._s3.abort_multipart_upload(Bucket=self._bucket, Key=upload.key, UploadId=id)
        self._uploads.clear()


_STEPS = {
    ObjectClient._put: 8,
    ObjectClient._put_if: 3,
    ObjectClient._copy: 3,
    ObjectClient._delete: 2,
    ObjectClient._delete_many: 1,
    ObjectClient._tag: 3,
    ObjectClient._upload: 1,
    ObjectClient._finish: 2,
    ObjectClient._read: 5,
}
