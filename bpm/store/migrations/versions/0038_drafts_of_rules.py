"""Drafts of webhook configurations, and what revisions say about the one they came from."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Add the table and the columns; revisions from before them came from no draft."""
    op.create_table(
        "webhook_draft",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("id", Integer64, primary_key=True),
        sa.Column("config_id", Integer64, nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("base_revision", Integer64, nullable=False),
        sa.Column("revision", Integer64, nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("author_name", sa.String(), nullable=False),
        sa.Column("authors", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhook_draft_org", "webhook_draft", ["organization_id", "created_at", "id"])
    op.add_column("webhook_config_revision", sa.Column("comment", sa.String(), nullable=True))
    op.add_column("webhook_config_revision", sa.Column("drafted_by", sa.String(), nullable=True))
