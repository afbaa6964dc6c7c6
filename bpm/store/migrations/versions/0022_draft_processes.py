"""What is still missing from the draft of a process."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add the column; what is deployed is no draft."""
    op.add_column("deployed_process", sa.Column("gaps", sa.String, nullable=True))
