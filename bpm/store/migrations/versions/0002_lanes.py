"""Lanes, and the jobs that wait in them."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "job_lane",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("width", Integer64, nullable=False),
        sa.Column("per_second", sa.Float(), nullable=True),
        sa.Column("entered", Integer64, nullable=False),
        sa.Column("next_start_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "job_ticket",
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("number", Integer64, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("attempt", Integer64, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promoted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "number"),
        sa.UniqueConstraint("kind", "ref"),
    )
    op.create_index("ix_job_ticket_promoted", "job_ticket", ["lane", "promoted", "number"], unique=False)
