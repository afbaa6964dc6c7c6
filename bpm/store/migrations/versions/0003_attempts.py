"""The history of attempts; lanes and replays of requests."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the history, and give requests what they are driven again by."""
    op.create_table(
        "inbound_attempt",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("number", Integer64, nullable=False),
        sa.Column("replay", Integer64, nullable=False),
        sa.Column("replayed_by", sa.String(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("errors", sa.Text(), nullable=True),
        sa.Column("message_type", sa.String(), nullable=True),
        sa.Column("worker", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", "number"),
    )
    with op.batch_alter_table("inbound_request") as table:
        table.add_column(sa.Column("lane", sa.String(), nullable=True))
        table.add_column(sa.Column("attempts_before", Integer64, nullable=False, server_default="0"))
        table.add_column(sa.Column("replay_count", Integer64, nullable=False, server_default="0"))
        table.add_column(sa.Column("replayed_by", sa.String(), nullable=True))
        table.add_column(sa.Column("run", Integer64, nullable=False, server_default="0"))
