"""Signs of life of the processes that run jobs."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64, UtcDateTime

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    """Add them; a worker that runs while this is done shows none until it is started anew."""
    op.create_table(
        "worker_presence",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", Integer64, nullable=False),
        sa.Column("beats", Integer64, nullable=False),
        sa.Column("beat_at", UtcDateTime, nullable=False),
    )
