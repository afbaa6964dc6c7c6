"""Bulk jobs, and the rows that they work through."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "bulk_job",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("message_type", sa.String(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("told_by", sa.String(), nullable=True),
        sa.Column("selection", sa.Text(), nullable=False),
        sa.Column("matched", Integer64, nullable=False),
        sa.Column("total", Integer64, nullable=False),
        sa.Column("done", Integer64, nullable=False),
        sa.Column("refused", Integer64, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("turn", Integer64, nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("asker_id", sa.String(), nullable=False),
        sa.Column("asker_name", sa.String(), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=True),
        sa.Column("correlation_id", sa.String(), nullable=False),
        sa.Column("depth", Integer64, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("ix_bulk_job_org_created", "bulk_job", ["organization_id", "created_at"])
    op.create_index("ix_bulk_job_state", "bulk_job", ["state", "created_at"])
    op.create_table(
        "bulk_row",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("job_id", sa.String(), primary_key=True),
        sa.Column("number", Integer64, primary_key=True, autoincrement=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("errors", sa.Text(), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
    )
