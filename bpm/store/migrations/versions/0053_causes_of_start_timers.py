"""What start timers are counted to that were not set by a person."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"


def upgrade() -> None:
    """Add the column; timers that are set already count to nothing."""
    op.add_column("process_schedule", sa.Column("cause", sa.String, nullable=True))
