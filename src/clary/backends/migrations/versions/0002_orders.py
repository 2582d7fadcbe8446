"""Lists of one status in every order; one order of text on both databases; whose database it is."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
TEXTS = (("records", "kind", 64), ("records", "name", 512), ("records", "status", 64), ("tags", "key", 128))


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, column, length in TEXTS:
            op.alter_column(table, column, type_=sa.String(length, collation="C"))
    for column in ("created", "modified"):
        op.create_index(f"records_status_{column}", "records", ["kind", "status", column, "name"])
    op.create_table("owner", sa.Column("account", sa.String(12), primary_key=True))


def downgrade() -> None:
    op.drop_table("owner")
    for column in ("created", "modified"):
        op.drop_index(f"records_status_{column}", "records")
    if op.get_bind().dialect.name == "postgresql":
        for table, column, length in TEXTS:
            op.alter_column(table, column, type_=sa.String(length))
