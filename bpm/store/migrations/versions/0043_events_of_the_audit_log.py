"""Who subscribed to the audit log, and up to which line it has become events."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    """Add them; of commands from before nobody knows how deep they stood, and nobody has subscribed to the log."""
    op.add_column("audit_entry", sa.Column("depth", Integer64, nullable=False, server_default="0"))
    op.add_column("subscription", sa.Column("audit_authority", sa.Text(), nullable=True))
    where = sa.text("audit_authority IS NOT NULL")
    op.create_index(
        "ix_subscription_audit", "subscription", ["organization_id"], sqlite_where=where, postgresql_where=where
    )
    op.create_table(
        "audit_position",
        sa.Column("id", Integer64, primary_key=True, autoincrement=False),
        sa.Column("position", Integer64, nullable=False),
    )
