"""Beside a captured request, sealed, what proves its sender."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column; requests that were captured before have nothing sealed."""
    op.add_column("inbound_request", sa.Column("sealed", sa.String(), nullable=True))
