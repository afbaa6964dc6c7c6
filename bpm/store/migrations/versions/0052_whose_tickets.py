"""Whose turn a job takes that waits in a lane, once it is promoted."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0052"
down_revision = "0051"


def upgrade() -> None:
    """Add the column; what waits already is nobody's in particular."""
    op.add_column("job_ticket", sa.Column("organization_id", Integer64, nullable=False, server_default="0"))
