"""Records in SQLite (a file, WAL) or PostgreSQL (by URL), through SQLAlchemy."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from clary.ports.records import AlreadyExists, NotFound, Query, Record, micros

HEAD = "0001"
"""The newest migration in backends/migrations/versions."""

metadata = sa.MetaData()
records = sa.Table(
    "records",
    metadata,
    sa.Column("kind", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(512), primary_key=True),
    sa.Column("arn", sa.String(1024), nullable=False),
    sa.Column("status", sa.String(64), nullable=False),
    sa.Column("principal", sa.String(512), nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("modified", sa.BigInteger, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Index("records_created", "kind", "created", "name"),
    sa.Index("records_modified", "kind", "modified", "name"),
    sa.Index("records_status", "kind", "status", "name"),
    sa.Index("records_arn", "arn"),
)
tags = sa.Table(
    "tags",
    metadata,
    sa.Column("arn", sa.String(1024), primary_key=True),
    sa.Column("key", sa.String(128), primary_key=True),
    sa.Column("value", sa.String(256), nullable=False),
)
version = sa.Table("alembic_version", metadata, sa.Column("version_num", sa.String(32), primary_key=True))


class SqlStore:
    """ports.records.Store over one SQLAlchemy engine."""

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        _bring_up_to_date(self._engine)

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
            row = connection.execute(sa.select(records).where(records.c.arn == arn)).first()
        return _record(row) if row is not None else None

    def update(self, kind: str, name: str, change: Callable[[Record], Record]) -> Record:
        with self._write() as connection:
            row = connection.execute(_GET.with_for_update(), {"k": kind, "n": name}).first()
            if row is None:
                raise NotFound(f"{kind} {name}")
            changed = change(_record(row))
            connection.execute(records.update().where(_IS), {"k": kind, "n": name, **_row(changed)})
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
            return [_record(row) for row in connection.execute(_select(query))]

    def tags(self, arn: str) -> dict[str, str]:
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(tags).where(tags.c.arn == arn).order_by(tags.c.key))
            return {row.key: row.value for row in rows}

    def tag(self, arn: str, tags: Mapping[str, str]) -> dict[str, str]:
        with self._write() as connection:
            _set_tags(connection, arn, tags)
        return self.tags(arn)

    def untag(self, arn: str, keys: Sequence[str]) -> None:
        with self._write() as connection:
            connection.execute(_tags_delete(arn).where(tags.c.key.in_(keys)))

    def _write(self) -> Any:
        return self._engine.execution_options(write=True).begin()


_IS = (records.c.kind == sa.bindparam("k")) & (records.c.name == sa.bindparam("n"))
_GET = sa.select(records).where(_IS)
_SORT = {
    "created": records.c.created,
    "modified": records.c.modified,
    "name": records.c.name,
    "status": records.c.status,
}


def _select(query: Query) -> sa.Select[Any]:
    sort = _SORT[query.sort]
    conditions = [records.c.kind == query.kind]
    if query.name_contains:
        conditions.append(records.c.name.contains(query.name_contains, autoescape=True))
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
        conditions.append(_behind(sort, query))
    order = (sort.desc(), records.c.name.desc()) if query.descending else (sort, records.c.name)
    return sa.select(records).where(*conditions).order_by(*order).limit(query.limit)


def _behind(sort: sa.Column[Any], query: Query) -> sa.ColumnElement[bool]:
    assert query.after is not None
    value: Any = int(query.after[0]) if query.sort in ("created", "modified") else query.after[0]
    here, last = sa.tuple_(sort, records.c.name), sa.tuple_(sa.literal(value), sa.literal(query.after[1]))
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


def _encode(value: Any) -> str:
    return json.dumps(_escaped(value), default=_encode_time, separators=(",", ":"))


def _escaped(value: Any) -> Any:
    """A `$` more before keys that begin with one: a user's {"$time": ...} is not a time."""
    if isinstance(value, dict):
        return {f"${key}" if key.startswith("$") else key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list) else value


def _encode_time(value: Any) -> dict[str, str]:
    if isinstance(value, datetime):
        return {"$time": value.astimezone(UTC).isoformat()}
    raise TypeError(f"{type(value).__name__} does not belong in a record")


def _decode(text: str) -> Any:
    return json.loads(text, object_hook=_decode_time)


def _decode_time(value: dict[str, Any]) -> Any:
    if value.keys() == {"$time"}:
        return datetime.fromisoformat(value["$time"])
    return {key.removeprefix("$"): item for key, item in value.items()}


def _engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(
            url, json_serializer=_encode, json_deserializer=_decode, pool_size=16, max_overflow=32
        )
    engine = sa.create_engine(
        url, json_serializer=_encode, json_deserializer=_decode, pool_size=32, max_overflow=64
    )
    sa.event.listen(engine, "connect", _sqlite_connect)
    sa.event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_connect(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the transaction begins where `_sqlite_begin` says
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _bring_up_to_date(engine: sa.Engine) -> None:
    """A new database gets today's tables; an older one is migrated (Alembic is imported only then)."""
    with engine.connect() as connection:
        present = sa.inspect(connection).get_table_names()
        found = connection.execute(sa.select(version)).scalar() if "alembic_version" in present else None
    if found == HEAD:
        return
    if not present:
        with engine.execution_options(write=True).begin() as connection:
            metadata.create_all(connection)
            connection.execute(version.insert(), {"version_num": HEAD})
        return
    migrate(engine)


def migrate(engine: sa.Engine) -> None:
    """Run the migrations that the database has not had."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.execution_options(write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
