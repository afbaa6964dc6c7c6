"""Accounts at a provider of single sign-on, and which sessions were opened with them."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0037"
down_revision = "0036"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table, and the columns of sessions."""
    op.create_table(
        "external_identity",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("id", Integer64, nullable=False),
        sa.Column("user_id", Integer64, nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.Column("created_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("issuer", "subject"),
    )
    op.create_index("ix_external_identity_user_id", "external_identity", ["user_id"])
    op.add_column("browser_session", sa.Column("identity_id", Integer64, nullable=True))
    op.add_column("browser_session", sa.Column("sign_in_hash", sa.String(), nullable=True))
    op.create_index("ux_browser_session_sign_in_hash", "browser_session", ["sign_in_hash"], unique=True)
