"""Lists stay quick with many records: every order, and every order of one status, is read off an index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from clary.backends import sql_engine
from clary.backends.sql import SqlStore
from clary.backends.sql_schema import records
from clary.ports.records import Query, micros
from records.conftest import ACCOUNT

MANY = 20_000
START = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = [
    Query("Thing", 10, sort, descending)
    for sort in ("created", "modified", "name", "status")
    for descending in (False, True)
]
RARE = ["InProgress"]
QUERIES = [
    *ORDERS,
    *(replace(query, after=(str(micros(START)), "x")) for query in ORDERS if query.sort != "status"),
    *(replace(query, statuses=RARE) for query in ORDERS),
    Query("Thing", 100_000, "status", statuses=["InProgress", "Stopping"]),
    Query("Thing", 10, created_after=START, created_before=START + timedelta(seconds=5)),
    Query("Thing", 10, modified_after=START, modified_before=START + timedelta(seconds=5)),
]


@pytest.fixture
def full(store: SqlStore, url: str) -> Iterator[tuple[SqlStore, sa.Engine]]:
    engine = sql_engine.connect(url)
    rows = [
        {
            "kind": "Thing",
            "name": f"thing-{i * 7919 % MANY:05}",
            "arn": f"arn:{i}",
            "status": "InProgress" if i < 3 else "Completed",
            "principal": ACCOUNT,
            "created": micros(START + timedelta(seconds=i)),
            "modified": micros(START + timedelta(seconds=i * 31 % MANY)),
            "body": {"Text": "x" * 1000},
        }
        for i in range(MANY)
    ]
    with engine.execution_options(write=True).begin() as connection:
        connection.execute(records.insert(), rows)
    if engine.dialect.name == "postgresql":
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql("ANALYZE records")
    yield store, engine
    engine.dispose()


def test_lists_are_read_off_an_index(full: tuple[SqlStore, sa.Engine]) -> None:
    store, engine = full
    for query in QUERIES:
        plan = _plan(store, engine, query)
        assert "SCAN" not in plan, f"{query}\n{plan}"
        assert "Seq Scan" not in plan, f"{query}\n{plan}"
        if query.statuses is not None:
            assert "records_status" in plan, f"{query}\n{plan}"
        if query.limit == 10 and query.modified_after is None:
            assert "TEMP B-TREE" not in plan, f"{query}\n{plan}"
            assert "Sort" not in plan, f"{query}\n{plan}"


def _plan(store: SqlStore, engine: sa.Engine, query: Query) -> str:
    """What the database says of the very statement that the store sends."""
    sent: list[tuple[str, Any]] = []

    def note(connection: object, cursor: object, sql: str, values: Any, *_: object) -> None:
        sent.append((sql, values))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    store.query(query)
    sa.event.remove(sa.Engine, "before_cursor_execute", note)
    (sql, values) = sent[-1]
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        return "\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} {sql}", values))
