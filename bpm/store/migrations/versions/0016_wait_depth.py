"""How many messages had caused one another when a wait of a process was opened."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the column; what waits already counts as caused by nobody."""
    with op.batch_alter_table("process_wait") as table:
        table.add_column(sa.Column("depth", Integer64, nullable=False, server_default="0"))
