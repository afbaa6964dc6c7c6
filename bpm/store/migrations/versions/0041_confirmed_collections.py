"""What Remita says of a mandate or a debit when it is asked back."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    """Add the columns; collections from before them were not asked about."""
    add = op.add_column
    add("remita_collection", sa.Column("status", sa.String(), nullable=False, server_default="unconfirmed"))
    add("remita_collection", sa.Column("checks", Integer64, nullable=False, server_default="0"))
    add("remita_collection", sa.Column("provider_status", sa.String(), nullable=True))
    add("remita_collection", sa.Column("provider_message", sa.String(), nullable=True))
    add("remita_collection", sa.Column("confirmed_amount", sa.Text(), nullable=True))
    add("remita_collection", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    add("remita_collection", sa.Column("incident", sa.String(), nullable=True))
    add("remita_collection", sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True))
