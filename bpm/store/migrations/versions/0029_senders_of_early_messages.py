"""Whom the sender of a message acted for that came before anybody waited for it."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Add the column; of messages that are kept already nobody is asked, as before."""
    op.add_column("buffered_message", sa.Column("authority", sa.Text, nullable=True))
