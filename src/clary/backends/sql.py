"""Records in SQLite (a file, WAL) or PostgreSQL (by URL), through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clary.backends import sql_engine, sql_schema
from clary.backends.sql_schema import records, tags
from clary.ports.records import AlreadyExists, NotFound, Query, Record, micros


class SqlStore:
    """ports.records.Store over one SQLAlchemy engine."""

    def __init__(self, url: str, account: str) -> None:
        """SettingsError for a database that cannot be used, or that belongs to another account."""
        self._engine = sql_engine.connect(url)
        sql_schema.bring_up_to_date(self._engine)
        sql_schema.claim(self._engine, account)

    def close(self) -> None:
        self._engine.dispose()

    def insert(self, record: Record, tags: Mapping[str, str] | None = None) -> None:
        try:
            with self._write() as connection:
                connection.execute(records.insert(), _row(record))
                _set_tags(connection, record.arn, tags or {})
        except IntegrityError as error:
            raise AlreadyExists(f"{record.kind} {record.name}") from error

    def get(self, kind: str, name: str) -> Record | None:
        with self._engine.connect() as connection:
            row = connection.execute(_GET, {"k": kind, "n": name}).first()
        return _record(row) if row is not None else None

    def find(self, arn: str) -> Record | None:
        with self._engine.connect() as connection:
            row = connection.execute(_ARN, {"a": arn}).first()
        return _record(row) if row is not None else None

    def update(self, kind: str, name: str, change: Callable[[Record], Record]) -> Record:
        with self._write() as connection:
            row = connection.execute(_GET.with_for_update(), {"k": kind, "n": name}).first()
            if row is None:
                raise NotFound(f"{kind} {name}")
            changed = change(_record(row))
            values = {column: value for column, value in _row(changed).items() if column in _CHANGING}
            connection.execute(records.update().where(_IS), {"k": kind, "n": name, **values})
        return changed

    def delete(self, kind: str, name: str) -> Record:
        with self._write() as connection:
            row = connection.execute(_GET.with_for_update(), {"k": kind, "n": name}).first()
            if row is None:
                raise NotFound(f"{kind} {name}")
            connection.execute(records.delete().where(_IS), {"k": kind, "n": name})
            connection.execute(_tags_delete(row.arn))
        return _record(row)

    def query(self, query: Query) -> list[Record]:
        with self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(_select(query, self._engine.dialect.name))]

    def tags(self, arn: str) -> dict[str, str]:
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(tags).where(tags.c.arn == arn).order_by(tags.c.key))
            return {row.key: row.value for row in rows}

    def tag(self, arn: str, tags: Mapping[str, str]) -> dict[str, str]:
        with self._write() as connection:
            # Held until the tags are there, so that none outlive a record that is deleted meanwhile.
            if connection.execute(_ARN.with_for_update(), {"a": arn}).first() is None:
                raise NotFound(arn)
            _set_tags(connection, arn, tags)
        return self.tags(arn)

    def untag(self, arn: str, keys: Sequence[str]) -> None:
        with self._write() as connection:
            connection.execute(_tags_delete(arn).where(tags.c.key.in_(keys)))

    def _write(self) -> Any:
        return self._engine.execution_options(write=True).begin()


_IS = (records.c.kind == sa.bindparam("k")) & (records.c.name == sa.bindparam("n"))
_GET = sa.select(records).where(_IS)
_ARN = sa.select(records).where(records.c.arn == sa.bindparam("a"))
_CHANGING = frozenset({"status", "modified", "body"})
"""What an update may change; the other columns' indexes are left alone."""
_SORT = {
    "created": records.c.created,
    "modified": records.c.modified,
    "name": records.c.name,
    "status": records.c.status,
}


def _select(query: Query, dialect: str) -> sa.Select[Any]:
    conditions = [records.c.kind == query.kind]
    if query.name_contains:
        conditions.append(_contains(query.name_contains, dialect))
    if query.statuses is not None:
        conditions.append(records.c.status.in_(query.statuses))
    for column, after, before in (
        (records.c.created, query.created_after, query.created_before),
        (records.c.modified, query.modified_after, query.modified_before),
    ):
        if after is not None:
            conditions.append(column >= micros(after))
        if before is not None:
            conditions.append(column <= micros(before))
    conditions.extend(records.c.body[key].as_string() == value for key, value in query.matches.items())
    if query.after is not None:
        conditions.append(_behind(query))
    order = [column.desc() if query.descending else column for column in _order(query)]
    return sa.select(records).where(*conditions).order_by(*order).limit(query.limit)


def _order(query: Query) -> list[sa.Column[Any]]:
    """No column twice: SQLite then finds no index that fits."""
    sort, name = _SORT[query.sort], records.c.name
    return [name] if sort is name else [sort, name]


def _contains(text: str, dialect: str) -> sa.ColumnElement[bool]:
    """With the case as it is: SQLite's LIKE passes over it."""
    if dialect == "sqlite":
        return sa.func.instr(records.c.name, text) > 0
    return records.c.name.contains(text, autoescape=True)


def _behind(query: Query) -> sa.ColumnElement[bool]:
    assert query.after is not None
    value: Any = int(query.after[0]) if query.sort in ("created", "modified") else query.after[0]
    columns = _order(query)
    here, last = sa.tuple_(*columns), sa.tuple_(*(value, query.after[1])[-len(columns) :])
    return here < last if query.descending else here > last


def _set_tags(connection: sa.Connection, arn: str, found: Mapping[str, str]) -> None:
    if found:
        connection.execute(_tags_delete(arn).where(tags.c.key.in_(list(found))))
        connection.execute(tags.insert(), [{"arn": arn, "key": k, "value": v} for k, v in found.items()])


def _tags_delete(arn: str) -> sa.Delete:
    return tags.delete().where(tags.c.arn == arn)


def _row(record: Record) -> dict[str, Any]:
    return {
        "kind": record.kind,
        "name": record.name,
        "arn": record.arn,
        "status": record.status,
        "principal": record.principal,
        "created": micros(record.created),
        "modified": micros(record.modified),
        "body": record.body,
    }


def _record(row: Any) -> Record:
    return Record(
        kind=row.kind,
        name=row.name,
        arn=row.arn,
        body=row.body,
        created=_time(row.created),
        modified=_time(row.modified),
        status=row.status,
        principal=row.principal,
    )


def _time(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC)
