"""S3's checksums: over a stream, and of an object that is joined from parts."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from awscrt import checksums

from clary.wire.errors import AwsError


class _Hash(Protocol):
    def update(self, data: bytes, /) -> object: ...
    def digest(self) -> bytes: ...


class _Crc:
    def __init__(self, function: Callable[[bytes, int], int], size: int) -> None:
        self._function, self._size = function, size
        self._value = 0

    def update(self, data: bytes) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


class _XxHash:
    def __init__(self, hash: checksums.XXHash) -> None:
        self.update: Callable[[bytes], None] = hash.update
        self.digest: Callable[[], bytes] = hash.finalize


_NEW: Mapping[str, Callable[[], _Hash]] = {
    "CRC32": lambda: _Crc(zlib.crc32, 4),
    "CRC32C": lambda: _Crc(checksums.crc32c, 4),
    "CRC64NVME": lambda: _Crc(checksums.crc64nvme, 8),
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
    "SHA256": hashlib.sha256,
    "SHA512": hashlib.sha512,
    "MD5": lambda: hashlib.md5(usedforsecurity=False),
    "XXHASH64": lambda: _XxHash(checksums.XXHash.new_xxhash64()),
    "XXHASH3": lambda: _XxHash(checksums.XXHash.new_xxhash3_64()),
    "XXHASH128": lambda: _XxHash(checksums.XXHash.new_xxhash3_128()),
}
_COMBINE: Mapping[str, Callable[[int, int, int], int]] = {
    "CRC32": checksums.combine_crc32,
    "CRC32C": checksums.combine_crc32c,
    "CRC64NVME": checksums.combine_crc64nvme,
}
ALGORITHMS = tuple(_NEW)
WHOLE = frozenset(_COMBINE)
"""Those that can be of a whole object although it came in parts (ChecksumType FULL_OBJECT)."""


class Digest:
    """MD5 and whatever else is asked for, over a stream."""

    def __init__(self, algorithms: Sequence[str] = ()) -> None:
        self.size = 0
        self._hashes = {name: _NEW[name]() for name in dict.fromkeys(("MD5", *algorithms))}

    def update(self, data: bytes) -> None:
        self.size += len(data)
        for hash in self._hashes.values():
            hash.update(data)

    @property
    def etag(self) -> str:
        return self._hashes["MD5"].digest().hex()

    def values(self) -> dict[str, str]:
        """Algorithm to base64, MD5 always among them. Call it once."""
        return {name: base64.b64encode(hash.digest()).decode() for name, hash in self._hashes.items()}


def is_well_formed(algorithm: str, value: str) -> bool:
    """Whether a client's base64 has as many bytes as the algorithm gives."""
    try:
        return len(base64.b64decode(value, validate=True)) == len(_NEW[algorithm]().digest())
    except ValueError:
        return False


def composite(algorithm: str, parts: Sequence[str]) -> str:
    """ChecksumType COMPOSITE: the checksum of the parts' checksums, and how many they are."""
    digest = Digest((algorithm,))
    digest.update(b"".join(map(base64.b64decode, parts)))
    return f"{digest.values()[algorithm]}-{len(parts)}"


def whole(algorithm: str, parts: Sequence[tuple[str, int]]) -> str:
    """ChecksumType FULL_OBJECT from the checksums and sizes of the parts, one of WHOLE."""
    value, width = 0, 0
    for text, size in parts:
        raw = base64.b64decode(text)
        value, width = _COMBINE[algorithm](value, int.from_bytes(raw, "big"), size), len(raw)
    return base64.b64encode(value.to_bytes(width, "big")).decode()


def compare(declared: Mapping[str, str], computed: Mapping[str, str]) -> None:
    """AwsError BadDigest where a client's checksum is not what came."""
    for name, value in declared.items():
        if computed[name] != value:
            text = f"The {name} you specified did not match the calculated checksum."
            raise AwsError("BadDigest", text)
