"""One server's worth of writers: a process that does what many calls at once do to the records."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

from clary.backends.sql import SqlStore
from clary.ports.records import AlreadyExists, NotFound, Record

THREADS, ROUNDS, NAMES = 6, 40, 12


def thing(name: str, by: str) -> Record:
    now = datetime.now(UTC)
    return Record("Thing", name, f"arn:x:thing/{name}", {"By": by, "Count": 0}, now, now)


def work(url: str, account: str, by: str) -> Counter[str]:
    """What was acknowledged: how often each record was made, counted up and deleted."""
    store = SqlStore(url, account)
    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(lambda i: _rounds(store, by, random.Random(f"{by}{i}")), range(THREADS)))
    store.close()
    return sum(done, Counter())


def _rounds(store: SqlStore, by: str, chance: random.Random) -> Counter[str]:
    done: Counter[str] = Counter()
    for _ in range(ROUNDS):
        name = f"thing-{chance.randrange(NAMES)}"
        step = chance.choice([_count_up, _count_up, _make, _tag, _delete])
        if what := step(store, name, by):
            done[what] += 1
    return done


def _count_up(store: SqlStore, name: str, by: str) -> str:
    def change(present: Record) -> Record:
        return replace(present, body={**present.body, "Count": present.body["Count"] + 1})

    store.update("Thing", "counter", change)
    return "counted"


def _make(store: SqlStore, name: str, by: str) -> str:
    try:
        store.insert(thing(name, by), {"made by": by})
    except AlreadyExists:
        return ""
    return f"made {name}"


def _tag(store: SqlStore, name: str, by: str) -> str:
    try:
        store.tag(f"arn:x:thing/{name}", {"last": by, f"seen by {by}": "yes"})
    except NotFound:
        return ""
    return "tagged"


def _delete(store: SqlStore, name: str, by: str) -> str:
    try:
        store.delete("Thing", name)
    except NotFound:
        return ""
    return f"deleted {name}"
