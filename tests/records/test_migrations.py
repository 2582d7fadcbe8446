"""A database that an older Clary made; one of a newer Clary; one of another Clary."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from clary.backends import sql_engine, sql_schema
from clary.backends.sql import SqlStore
from clary.ports.records import Query, Record, micros
from clary.settings import SettingsError
from records.conftest import ACCOUNT

WHEN = datetime(2026, 1, 2, 3, 4, 5, 678_901, UTC)
INSERT = (
    "INSERT INTO records (kind, name, arn, status, principal, created, modified, body)"
    " VALUES ('Model', :name, :arn, 'Kept', 'me', :at, :at, :body)"
)


def shape(url: str) -> dict[str, Any]:
    """Tables, columns, indexes and keys as the database itself tells of them."""
    engine = sql_engine.connect(url)
    inspector = sa.inspect(engine)
    found: dict[str, Any] = {}
    for table in sorted(inspector.get_table_names()):
        columns = [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)]
        indexes = sorted((i["name"], i["column_names"], i["unique"]) for i in inspector.get_indexes(table))
        found[table] = columns, indexes, inspector.get_pk_constraint(table)["constrained_columns"]
    engine.dispose()
    return found


@pytest.fixture
def old_url(new_url: Callable[[], str]) -> str:
    """The first tables that a Clary made, with records in them."""
    url = new_url()
    engine = sql_engine.connect(url)
    sql_schema.migrate(engine, "0001")
    with engine.execution_options(write=True).begin() as connection:
        body = {"When": {"$time": WHEN.isoformat()}, "Tags": {"$$x": "ü"}}
        for name in ("b", "B", "a"):
            values = {"name": name, "arn": f"arn:{name}", "at": micros(WHEN), "body": json.dumps(body)}
            connection.execute(sa.text(INSERT), values)
        connection.execute(sa.text("INSERT INTO tags VALUES ('arn:a', 'k', 'v')"))
    assert "owner" not in sa.inspect(engine).get_table_names()
    engine.dispose()
    return url


def test_an_older_database_is_brought_up_to_date(old_url: str, new_url: Callable[[], str]) -> None:
    store = SqlStore(old_url, ACCOUNT)
    body = {"When": WHEN, "Tags": {"$x": "ü"}}
    expected = [Record("Model", n, f"arn:{n}", body, WHEN, WHEN, "Kept", "me") for n in ("B", "a", "b")]
    assert store.query(Query("Model", sort="name")) == expected
    assert store.tags("arn:a") == {"k": "v"}
    store.insert(Record("Model", "new", "arn:new", {}, WHEN, WHEN))
    store.close()
    fresh = new_url()
    SqlStore(fresh, ACCOUNT).close()
    assert shape(old_url) == shape(fresh)
    again = SqlStore(old_url, ACCOUNT)
    assert len(again.query(Query("Model"))) == 4
    again.close()


def test_a_migration_that_fails_leaves_the_database_as_it_was(old_url: str) -> None:
    before = shape(old_url)
    with sql_engine.connect(old_url).execution_options(write=True).begin() as connection:
        connection.execute(sa.text("CREATE TABLE owner (other INTEGER)"))  # in the way of the last step
    with pytest.raises(Exception, match="owner"):
        SqlStore(old_url, ACCOUNT)
    found = shape(old_url)
    del found["owner"]
    assert found == before


def test_a_newer_database_is_refused(url: str) -> None:
    SqlStore(url, ACCOUNT).close()
    with sql_engine.connect(url).execution_options(write=True).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingsError, match="belongs to a newer Clary or to another program"):
        SqlStore(url, ACCOUNT)


def test_a_database_belongs_to_one_home(url: str) -> None:
    SqlStore(url, ACCOUNT).close()
    with pytest.raises(SettingsError, match=f"it belongs to the Clary of account {ACCOUNT}"):
        SqlStore(url, "999999999999")
    SqlStore(url, ACCOUNT).close()
