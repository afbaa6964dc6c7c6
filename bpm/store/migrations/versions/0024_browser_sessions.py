"""The browsers that are signed in."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0024"
down_revision = "0023"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "browser_session",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", Integer64, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("user_agent", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
    )
    for column in ("user_id", "ends_at"):
        op.create_index(f"ix_browser_session_{column}", "browser_session", [column])
