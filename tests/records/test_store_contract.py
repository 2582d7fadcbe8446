"""What every database must do with records: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from clary.backends.sql import SqlStore
from clary.ports.records import AlreadyExists, NotFound, Query, Record, sort_value

START = datetime(2026, 2, 28, 23, 59, 59, 999_999, UTC)
NAMES = ["b", "B", "a", "a-1", "a1", "A", "ab", "Ä", "z", "a-B"]
STATUSES = ["InProgress", "Completed", "Failed"]
SORTS = ["created", "modified", "name", "status"]


def record(name: str, number: int = 0, status: str = "", **body: Any) -> Record:
    created = START + timedelta(microseconds=number)
    modified = START + timedelta(seconds=(number * 7) % 5)
    return Record("Thing", name, f"arn:x:thing/{name}", body, created, modified, status, "arn:x:me")


@pytest.fixture
def filled(store: SqlStore) -> list[Record]:
    """Records with equal and unequal sort values, beside those of another kind."""
    made = [record(name, i // 2, STATUSES[i % 3], Group=str(i % 2)) for i, name in enumerate(NAMES)]
    for item in made:
        store.insert(item)
        store.insert(replace(item, kind="Other", arn=item.arn.replace("thing", "other")))
    return made


def test_a_record_comes_back_as_it_was(store: SqlStore) -> None:
    body = {
        "Text": "süß 日本 \N{ROCKET} \x00 \\ \" '",
        "Times": [START, START.astimezone(timezone(timedelta(hours=-9)))],
        "Numbers": [0, -1, 2**63, 0.1, 1e300, True, None],
        "Deep": {"$time": "no time", "$$time": {"$time": START}, "$": {"$": []}, "": {}},
        "Large": "x" * 1_000_000,
    }
    made = record("name", status="InProgress", **body)
    store.insert(made)
    found = store.get("Thing", "name")
    assert found == made
    assert found is not None
    assert found.body["Times"][1].utcoffset() == timedelta(0)
    assert list(found.body) == list(body)
    assert store.find(made.arn) == made
    assert (store.get("Thing", "Name"), store.get("Other", "name"), store.find("arn")) == (None, None, None)


def test_a_name_is_taken_once(store: SqlStore) -> None:
    first = record("taken", status="1")
    store.insert(first, {"a": "1"})
    with pytest.raises(AlreadyExists):
        store.insert(record("taken", 5, status="2"), {"a": "2", "b": "2"})
    assert store.get("Thing", "taken") == first
    assert store.tags(first.arn) == {"a": "1"}
    store.insert(record("Taken"))


def test_an_update_sees_what_is_there_and_may_refuse(store: SqlStore) -> None:
    made = record("changed", status="InProgress", Count=1)
    store.insert(made)
    later = START + timedelta(days=1)

    def count(present: Record) -> Record:
        body = {**present.body, "Count": present.body["Count"] + 1}
        return replace(present, body=body, status="Done", modified=later)

    expected = replace(made, body={"Count": 2}, status="Done", modified=later)
    assert store.update("Thing", "changed", count) == expected
    assert store.get("Thing", "changed") == expected

    def refuse(present: Record) -> Record:
        raise ValueError(present.status)

    with pytest.raises(ValueError, match="Done"):
        store.update("Thing", "changed", refuse)
    assert store.get("Thing", "changed") == expected
    with pytest.raises(NotFound):
        store.update("Thing", "missing", count)


def test_a_deleted_record_takes_its_tags_along(store: SqlStore) -> None:
    made = record("gone")
    store.insert(made, {"old": "1"})
    assert store.delete("Thing", "gone") == made
    assert (store.get("Thing", "gone"), store.find(made.arn), store.tags(made.arn)) == (None, None, {})
    with pytest.raises(NotFound):
        store.delete("Thing", "gone")
    with pytest.raises(NotFound):
        store.tag(made.arn, {"late": "1"})
    store.insert(made)
    assert store.tags(made.arn) == {}


def test_tags(store: SqlStore) -> None:
    one, other = record("one"), record("other")
    store.insert(one, {"b": "1", "A": "ü", "$time": "", "a b": "x" * 256})
    store.insert(other, {"b": "other"})
    assert store.tag(one.arn, {"b": "2", "Z": "3"}) == {
        "$time": "",
        "A": "ü",
        "Z": "3",
        "a b": "x" * 256,
        "b": "2",
    }
    assert list(store.tags(one.arn)) == ["$time", "A", "Z", "a b", "b"]
    store.untag(one.arn, ["A", "nothing", "a b"])
    assert store.tags(one.arn) == {"$time": "", "Z": "3", "b": "2"}
    assert store.tag(one.arn, {}) == store.tags(one.arn)
    assert store.tags(other.arn) == {"b": "other"}


@pytest.mark.parametrize("limit", [1, 3, 100])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_in_every_order(
    store: SqlStore, filled: list[Record], sort: str, descending: bool, limit: int
) -> None:
    def key(item: Record) -> tuple[Any, bytes]:
        return getattr(item, sort), item.name.encode()

    query = Query("Thing", limit, sort, descending)
    found: list[Record] = []
    while page := store.query(query):
        assert len(page) <= limit
        found += page
        query = replace(query, after=(sort_value(page[-1], sort), page[-1].name))
    assert found == sorted(filled, key=key, reverse=descending)


FILTERS: dict[str, tuple[dict[str, Any], Any]] = {
    "name": ({"name_contains": "a"}, lambda r: "a" in r.name),
    "case": ({"name_contains": "A"}, lambda r: "A" in r.name),
    "wildcards": ({"name_contains": "_"}, lambda r: False),
    "percent": ({"name_contains": "%"}, lambda r: False),
    "umlaut": ({"name_contains": "Ä"}, lambda r: r.name == "Ä"),
    "status": ({"statuses": ["Failed"]}, lambda r: r.status == "Failed"),
    "statuses": ({"statuses": ["Failed", "InProgress"]}, lambda r: r.status != "Completed"),
    "no status": ({"statuses": []}, lambda r: False),
    "created after": (
        {"created_after": START + timedelta(microseconds=2)},
        lambda r: r.created >= START + timedelta(microseconds=2),
    ),
    "created before": (
        {"created_before": START + timedelta(microseconds=2)},
        lambda r: r.created <= START + timedelta(microseconds=2),
    ),
    "modified": (
        {"modified_after": START + timedelta(seconds=1), "modified_before": START + timedelta(seconds=3)},
        lambda r: START + timedelta(seconds=1) <= r.modified <= START + timedelta(seconds=3),
    ),
    "body": ({"matches": {"Group": "1"}}, lambda r: r.body["Group"] == "1"),
    "no such member": ({"matches": {"Nothing": "1"}}, lambda r: False),
    "all": (
        {"name_contains": "a", "statuses": ["InProgress"], "matches": {"Group": "0"}, "created_after": START},
        lambda r: "a" in r.name and r.status == "InProgress" and r.body["Group"] == "0",
    ),
}


@pytest.mark.parametrize("filter", FILTERS)
def test_filters_in_every_order(store: SqlStore, filled: list[Record], filter: str) -> None:
    members, keep = FILTERS[filter]
    expected = {item.name for item in filled if keep(item)}
    for sort, descending in itertools.product(SORTS, (False, True)):
        query = Query("Thing", 2, sort, descending, **members)
        found: list[str] = []
        while page := store.query(query):
            found += [item.name for item in page]
            query = replace(query, after=(sort_value(page[-1], sort), page[-1].name))
        assert len(found) == len(set(found))
        assert set(found) == expected
