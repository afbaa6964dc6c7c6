"""Whom a request acts for that somebody made by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Add the column; of requests from before it the rule's people alone are asked."""
    op.add_column("inbound_request", sa.Column("resent_for", sa.Text, nullable=True))
