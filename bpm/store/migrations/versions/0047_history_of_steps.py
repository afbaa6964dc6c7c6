"""The history of an instance has a row for each step; rows from before are steps of one entry."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("process_history_entry", sa.Column("entry_count", Integer64, nullable=False, server_default="1"))
    op.add_column("process_history_entry", sa.Column("more", sa.Text(), nullable=True))
