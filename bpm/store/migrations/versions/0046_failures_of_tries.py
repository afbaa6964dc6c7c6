"""Why the last try of a task's work failed, while it is tried again."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import JsonColumn

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    """Add it; of tries that failed before, nothing was kept."""
    op.add_column("process_wait", sa.Column("failure", JsonColumn, nullable=True))
