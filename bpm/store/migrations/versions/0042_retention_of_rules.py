"""How long the requests of a rule are kept."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    """Add the table; rules from before say nothing about it, so their requests stay as long as the others."""
    op.create_table(
        "rule_retention",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("config_id", Integer64, primary_key=True, autoincrement=False),
        sa.Column("days", Integer64, nullable=False),
        sa.Column("emptied_until", sa.DateTime(timezone=True), nullable=True),
    )
