"""Payments that Mono tells of, which are confirmed by asking back."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    """Make the table; payments of events from before it are not asked about."""
    op.create_table(
        "mono_payment",
        sa.Column("id", Integer64, primary_key=True),
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=True),
        sa.Column("mandate_id", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("amount", sa.Text(), nullable=True),
        sa.Column("fee", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checks", Integer64, nullable=False),
        sa.Column("provider_status", sa.String(), nullable=True),
        sa.Column("provider_message", sa.String(), nullable=True),
        sa.Column("confirmed_amount", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("incident", sa.String(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("organization_id", "reference"),
    )
