"""How a subscription's deliveries are signed."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Add the column; subscriptions from before it sign as they did, by Standard Webhooks."""
    op.add_column("subscription", sa.Column("signature", sa.Text, nullable=True))
