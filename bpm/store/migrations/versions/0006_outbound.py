"""Event types, subscriptions and deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "delivery",
        sa.Column("organization_id", INTEGER, nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("subscription_id", INTEGER, nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("turn", INTEGER, nullable=False),
        sa.Column("tries", INTEGER, nullable=False),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("lane", sa.String(), nullable=True),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("last_status", INTEGER, nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("duration_ms", sa.Float(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("completed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("subscription_id", "event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_delivery_org_created", "delivery", ["organization_id", "created_at"], unique=False)
    op.create_index("ix_delivery_state", "delivery", ["state", "due_at"], unique=False)
    op.create_index("ix_delivery_subscription", "delivery", ["subscription_id", "state", "number"], unique=False)
    op.create_table(
        "delivery_attempt",
        sa.Column("organization_id", INTEGER, nullable=False),
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("subscription_id", INTEGER, nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("status", INTEGER, nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("duration_ms", sa.Float(), nullable=False),
        sa.Column("request_body", sa.String(), nullable=True),
        sa.Column("response_headers", sa.Text(), nullable=True),
        sa.Column("response_body", sa.String(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_delivery_attempt_delivery", "delivery_attempt", ["delivery_id"], unique=False)
    op.create_index(
        "ix_delivery_attempt_org_created", "delivery_attempt", ["organization_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_delivery_attempt_subscription", "delivery_attempt", ["subscription_id", "created_at"], unique=False
    )
    op.create_table(
        "event_type",
        sa.Column("organization_id", INTEGER, nullable=False),
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("json_schema", sa.Text(), nullable=True),
        sa.Column("example", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("organization_id", "name"),
    )
    op.create_table(
        "subscription",
        sa.Column("organization_id", INTEGER, nullable=False),
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("dialect", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("headers", sa.String(), nullable=True),
        sa.Column("secrets", sa.String(), nullable=False),
        sa.Column("filter", sa.String(), nullable=True),
        sa.Column("transform", sa.Text(), nullable=True),
        sa.Column("ordering_key", sa.String(), nullable=True),
        sa.Column("max_in_flight", INTEGER, nullable=True),
        sa.Column("rate_per_second", sa.Float(), nullable=True),
        sa.Column("retry_count", INTEGER, nullable=True),
        sa.Column("timeout_seconds", INTEGER, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_resuming", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.String(), nullable=True),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.Column("deleted_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscription_org", "subscription", ["organization_id", "deleted_at"], unique=False)
    op.create_table(
        "subscription_health",
        sa.Column("organization_id", INTEGER, nullable=False),
        sa.Column("subscription_id", INTEGER, nullable=False),
        sa.Column("last_triggered_at", MOMENT, nullable=True),
        sa.Column("last_success_at", MOMENT, nullable=True),
        sa.Column("last_failure_at", MOMENT, nullable=True),
        sa.Column("failure_count", INTEGER, nullable=False),
        sa.Column("failing_since", MOMENT, nullable=True),
        sa.Column("openings", INTEGER, nullable=False),
        sa.Column("open_until", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("subscription_id"),
    )
    op.create_table(
        "subscription_pattern",
        sa.Column("organization_id", INTEGER, nullable=False),
        sa.Column("subscription_id", INTEGER, nullable=False),
        sa.Column("pattern", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", "pattern"),
    )
    op.create_index(
        "ix_subscription_pattern_name", "subscription_pattern", ["organization_id", "pattern"], unique=False
    )
