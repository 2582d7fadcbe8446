"""Killed at any line: an object is as it was or as it shall be, and a job runs once.

A few lines of each are tried, others each time; CLARY_EVERY_LINE=1 tries them all.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from clary.ports.objects import Condition, Meta, Objects
from clary.server import objects as open_objects
from clary.settings import Settings
from survival import dying, home

MIB = 1 << 20
Begin = Callable[[], None]


async def body(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 400_000):
        yield data[start : start + 400_000]


def put(store: Objects, key: str, data: bytes, **further: Any) -> None:
    meta = further.pop("meta", Meta())
    asyncio.run(_put(store, key, data, meta, **further))


async def _put(store: Objects, key: str, data: bytes, meta: Meta, **further: Any) -> None:
    await store.put("bucket", key, body(data), meta, **further)


def part(store: Objects, number: int, data: bytes) -> None:
    (upload,) = store.uploads("bucket")
    asyncio.run(_part(store, upload, number, data))


async def _part(store: Objects, upload: Any, number: int, data: bytes) -> None:
    await store.put_part(upload, number, body(data))


def begin_upload(store: Objects) -> None:
    store.start_upload("bucket", "old", Meta(user={"who": "upload"}))
    part(store, 1, b"1" * 5 * MIB)
    part(store, 2, b"2")


def complete(store: Objects) -> None:
    (upload,) = store.uploads("bucket")
    store.complete(upload, [(part.number, part.etag) for part in store.parts(upload)])


NOTHING: Callable[[Objects], None] = lambda store: None  # noqa: E731
OPERATIONS: dict[str, tuple[Callable[[Objects], None], Callable[[Objects], None]]] = {
    "a new object": (NOTHING, lambda s: put(s, "new", b"new" * 100)),
    "one of several pieces": (NOTHING, lambda s: put(s, "new", b"n" * 3 * MIB)),
    "a replaced object": (NOTHING, lambda s: put(s, "old", b"", meta=Meta(tags={"a": "b"}))),
    "a conditional one": (NOTHING, lambda s: put(s, "new", b"x", condition=Condition(None, "*"))),
    "a job's output": (NOTHING, lambda s: s.put_file("bucket", "old", Path(__file__))),
    "a copy": (NOTHING, lambda s: s.copy(s.head("bucket", "old"), "bucket", "new", Meta())),
    "tags": (NOTHING, lambda s: s.set_tags("bucket", "old", {"c": "d"})),
    "a deletion": (lambda s: put(s, "new", b""), lambda s: s.delete("bucket", ["old", "new"])),
    "an upload": (NOTHING, lambda s: s.start_upload("bucket", "new", Meta())),
    "a part": (begin_upload, lambda s: part(s, 2, b"3")),
    "a completion": (begin_upload, complete),
    "an end": (begin_upload, lambda s: s.abort(s.uploads("bucket")[0])),
    "a bucket": (NOTHING, lambda s: s.create_bucket("second", "us-east-1")),
}


def prepare(place: Path, name: str, begin: Begin) -> Any:
    store = open_objects(Settings(place))
    store.create_bucket("bucket", "us-east-1")
    put(store, "old", b"old" * 1000, meta=Meta(user={"who": "me"}))
    OPERATIONS[name][0](store)
    return True


def operate(place: Path, name: str, begin: Begin) -> Any:
    store = open_objects(Settings(place))
    begin()
    OPERATIONS[name][1](store)
    return True


def look(place: Path, begin: Begin) -> Any:
    """All that a client can see, but times and the names of uploads."""
    store = open_objects(Settings(place))
    found: dict[str, Any] = {"buckets": [bucket.name for bucket in store.buckets()]}
    for item in store.list("bucket").objects:
        data = b"".join(store.read(item))
        found[item.key] = item.etag, item.size, str(item.meta), hashlib.sha256(data).hexdigest()
    uploads = store.uploads("bucket")
    found["uploads"] = [(u.key, str(u.meta), [(p.number, p.etag) for p in store.parts(u)]) for u in uploads]
    return found


@pytest.mark.parametrize("name", OPERATIONS)
def test_objects(quick: Path, name: str) -> None:
    start, tried = quick / "start", quick / "tried"
    dying.run(prepare, start, name)
    before = dying.run(look, start)[0]
    shutil.copytree(start, tried)
    inside = ("/clary/backends/",)
    passed = dying.run(operate, tried, name, inside=inside)[1]
    after = dying.run(look, tried)[0]
    assert before != after
    seen = []
    for line in dying.moments(passed, 16):
        shutil.rmtree(tried)
        shutil.copytree(start, tried)
        answered = dying.run(operate, tried, name, line=line, inside=inside)
        found = dying.run(look, tried)[0]
        assert found in (before, after), f"killed at {passed[line - 1]}"
        assert not answered or found == after
        home.check_data(tried)
        seen.append(found == after)
    print(f"{name}: killed at {len(seen)} places, was done at {sum(seen)}")
