"""Which features an organisation has."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "feature",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("switched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "name"),
    )
