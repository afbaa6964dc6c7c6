"""The whole URL of a subscription, sealed, where there are credentials in it."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the column; URLs that were stored before stay as they are until they are changed."""
    op.add_column("subscription", sa.Column("sealed_url", sa.String(), nullable=True))
