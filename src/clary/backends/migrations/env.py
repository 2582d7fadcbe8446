"""Alembic's entry: runs on the connection that `backends.sql_schema.migrate` hands in."""

from alembic import context

from clary.backends.sql_schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
