"""Since when a webhook configuration is paused."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the column; nothing is paused."""
    op.add_column("webhook_config", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
