"""The first tables: records and tags."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "records",
        sa.Column("kind", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(512), primary_key=True),
        sa.Column("arn", sa.String(1024), nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(512), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("modified", sa.BigInteger, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    for column in ("created", "modified", "status"):
        op.create_index(f"records_{column}", "records", ["kind", column, "name"])
    op.create_index("records_arn", "records", ["arn"])
    op.create_table(
        "tags",
        sa.Column("arn", sa.String(1024), primary_key=True),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("value", sa.String(256), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("tags")
    op.drop_table("records")
