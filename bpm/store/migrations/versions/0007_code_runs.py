"""Recorded runs of scripts."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "code_run",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("correlation_id", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=True),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("source_hash", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("line", Integer64, nullable=True),
        sa.Column("column", Integer64, nullable=True),
        sa.Column("sends", Integer64, nullable=False),
        sa.Column("cpu_seconds", sa.Float(), nullable=False),
        sa.Column("peak_memory_bytes", Integer64, nullable=False),
        sa.Column("sealed", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_code_run_created", "code_run", ["organization_id", "created_at", "id"], unique=False)
    op.create_index("ix_code_run_request", "code_run", ["organization_id", "request_id"], unique=False)
    op.create_index("ix_code_run_rule", "code_run", ["organization_id", "rule", "created_at"], unique=False)
