"""The tags that authors give to versions of processes and decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add the columns; of what is deployed already no tag is known."""
    for table in ("deployed_process", "deployed_decision"):
        op.add_column(table, sa.Column("version_tag", sa.String, nullable=True))
