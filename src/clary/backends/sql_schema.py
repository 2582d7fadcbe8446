"""The tables of the records, and how an older database becomes today's."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from clary.settings import SettingsError

HEAD = "0002"
"""The newest migration in backends/migrations/versions."""


def text(length: int) -> sa.types.TypeEngine[str]:
    """Text in the order of its bytes, as SQLite has it: PostgreSQL's own order depends on the machine."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


metadata = sa.MetaData()
records = sa.Table(
    "records",
    metadata,
    sa.Column("kind", text(64), primary_key=True),
    sa.Column("name", text(512), primary_key=True),
    sa.Column("arn", sa.String(1024), nullable=False),
    sa.Column("status", text(64), nullable=False),
    sa.Column("principal", sa.String(512), nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("modified", sa.BigInteger, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    # One for each order of a list, and for each order of a list of one status.
    sa.Index("records_created", "kind", "created", "name"),
    sa.Index("records_modified", "kind", "modified", "name"),
    sa.Index("records_status", "kind", "status", "name"),
    sa.Index("records_status_created", "kind", "status", "created", "name"),
    sa.Index("records_status_modified", "kind", "status", "modified", "name"),
    sa.Index("records_arn", "arn"),
)
tags = sa.Table(
    "tags",
    metadata,
    sa.Column("arn", sa.String(1024), primary_key=True),
    sa.Column("key", text(128), primary_key=True),
    sa.Column("value", sa.String(256), nullable=False),
)
owner = sa.Table("owner", metadata, sa.Column("account", sa.String(12), primary_key=True))
version = sa.Table("alembic_version", metadata, sa.Column("version_num", sa.String(32), primary_key=True))


def bring_up_to_date(engine: sa.Engine) -> None:
    """A new database gets today's tables; an older one is migrated (Alembic is imported only then)."""
    with engine.connect() as connection:
        present = sa.inspect(connection).get_table_names()
        found = connection.execute(sa.select(version)).scalar() if version.name in present else None
    if found == HEAD:
        return
    if not present:
        with engine.execution_options(write=True).begin() as connection:
            metadata.create_all(connection)
            connection.execute(version.insert(), {"version_num": HEAD})
        return
    migrate(engine)


def migrate(engine: sa.Engine, to: str = "head") -> None:
    """Run the migrations that the database has not had."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.execution_options(write=True).begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, to)
        except CommandError as error:
            raise SettingsError(
                f"database: it belongs to a newer Clary or to another program ({error}). Upgrade Clary, or "
                "give it a database of its own"
            ) from error


def claim(engine: sa.Engine, account: str) -> None:
    """A database belongs to the home that used it first: two would run each job twice."""
    with engine.execution_options(write=True).begin() as connection:
        found = connection.execute(sa.select(owner.c.account)).scalar()
        if found is None:
            connection.execute(owner.insert(), {"account": account})
        elif found != account:
            raise SettingsError(
                f"database: it belongs to the Clary of account {found}, and this home's account is "
                f"{account}. Give each home a database of its own"
            )
