"""Turns of repeated activities, and the values kept for them, stored beside the state of their instance."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add the table, and where a wait belongs; an instance is taken apart when it is next written."""
    op.create_table(
        "process_part",
        sa.Column("instance_id", Integer64, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("scope", Integer64, primary_key=True, autoincrement=False),
        sa.Column("number", Integer64, primary_key=True, autoincrement=False),
        sa.Column("body", Integer64, nullable=True),
        sa.Column("around", Integer64, nullable=False),
        sa.Column("size", Integer64, nullable=False),
        sa.Column("data", sa.String, nullable=False),
    )
    op.create_index("ix_process_part_body", "process_part", ["instance_id", "body"])
    op.add_column("process_wait", sa.Column("turn", Integer64, nullable=True))
    op.add_column("process_instance", sa.Column("parts_size", Integer64, nullable=False, server_default="0"))
