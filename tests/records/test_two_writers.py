"""Two servers' worth of writers on one database: nothing is lost, doubled or left over."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import sqlalchemy as sa

from clary.backends import sql_engine
from clary.backends.sql import SqlStore
from clary.backends.sql_schema import tags
from records.conftest import ACCOUNT
from records.writers import NAMES, thing, work


def test_two_servers_writers(url: str, store: SqlStore) -> None:
    store.insert(thing("counter", "nobody"))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        running = [pool.submit(work, url, ACCOUNT, by) for by in ("first", "second")]
        done = sum((writer.result(120) for writer in running), Counter[str]())
    counter = store.get("Thing", "counter")
    assert counter is not None
    assert counter.body["Count"] == done["counted"] > 100
    for number in range(NAMES):
        name = f"thing-{number}"
        there = store.get("Thing", name)
        assert done[f"made {name}"] - done[f"deleted {name}"] == (there is not None)
        if there is not None:
            assert store.tags(there.arn)["made by"] == there.body["By"]
    with sql_engine.connect(url).connect() as connection:
        tagged = set(connection.execute(sa.select(tags.c.arn)).scalars())
    assert all(store.find(arn) for arn in tagged), "tags outlived their record"
