"""What was pruned, who prunes, and which requests have lost their body."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the tables and add the column."""
    op.create_table(
        "retention_mark",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("pruned", Integer64, nullable=False),
        sa.Column("last_pruned", Integer64, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "retention_lease",
        sa.Column("id", Integer64, nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("inbound_request", sa.Column("body_pruned", sa.Boolean(), nullable=False, server_default=sa.false()))
