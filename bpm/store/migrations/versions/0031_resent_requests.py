"""Requests that were made by hand of others."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Add which request one was made of, and by whom."""
    with op.batch_alter_table("inbound_request") as table:
        table.add_column(sa.Column("resent_of", sa.String(), nullable=True))
        table.add_column(sa.Column("resent_by", sa.String(), nullable=True))
