"""Back-tests that run in the background."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "back_test",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("total", Integer64, nullable=True),
        sa.Column("compared", Integer64, nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("unchecked", sa.Text(), nullable=False),
        sa.Column("changed", sa.Text(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("author_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_back_test_state", "back_test", ["state", "created_at"], unique=False)
