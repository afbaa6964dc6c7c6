"""When a rule was last applied from files."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    """Add the column; of rules from before nobody knows where they came from until they are applied again."""
    op.add_column("webhook_config", sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True))
