"""What several notifications say of one payment, and Remita's own reference of a debit."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    """Make the table and add the column; of what was confirmed already Remita's reference is not known."""
    op.create_table(
        "payment_claim",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("id", Integer64, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("organization_id", "kind", "subject", "digest"),
    )
    op.add_column("remita_collection", sa.Column("provider_reference", sa.String(), nullable=True))
