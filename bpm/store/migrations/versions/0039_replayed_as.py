"""By which revision or draft of its rule a request was driven again."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """Add the column; what was driven again before was so by its rule as it was then."""
    op.add_column("inbound_request", sa.Column("replayed_as", sa.Text(), nullable=True))
