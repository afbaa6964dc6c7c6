"""How many messages led to an event."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add the column; events that are stored already count as a beginning."""
    op.add_column("event", sa.Column("depth", Integer64, nullable=False, server_default="0"))
