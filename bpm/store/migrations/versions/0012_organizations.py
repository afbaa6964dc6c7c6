"""Organisations, with their features; those that have rows already are carried over."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from pydantic_core import to_json

from bpm.store.rows import Integer64

revision = "0012"
down_revision = "0011"

INSTALLATION = 1
MOMENT = sa.DateTime(timezone=True)
OWNED = ("user", "webhook_config", "subscription", "deployed_process", "event_type", "feature")
"""Tables that an organisation which is in use has rows in."""


def upgrade() -> None:
    """Create the table, fill it, and drop the one whose rows it takes over."""
    op.create_table(
        "organization",
        sa.Column("id", Integer64, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.Column("max_subscriptions", Integer64, nullable=True),
        sa.Column("max_users", Integer64, nullable=True),
        sa.Column("max_webhooks", Integer64, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.Column("deactivated_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_organization_deactivated_at", "organization", ["deactivated_at"])
    _carry_over(op.get_bind())
    op.drop_table("feature")


def _carry_over(connection: sa.Connection) -> None:
    known = sorted(_in_use(connection))
    features = _features(connection)
    organizations = sa.table(
        "organization",
        sa.column("id", Integer64),
        *(sa.column(name, sa.String) for name in ("name", "description", "features")),
        sa.column("created_at", MOMENT),
    )
    now = datetime.now(UTC)
    for number in known:
        name = "Installation" if number == INSTALLATION else f"Organisation {number}"
        switched = to_json(features.get(number, {})).decode()
        row = {"id": number, "name": name, "description": "", "features": switched, "created_at": now}
        connection.execute(organizations.insert(), row)
    if connection.dialect.name == "postgresql":  # 1 is the installation's, even where it has no row yet
        last = max([INSTALLATION, *known])
        connection.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('organization', 'id'), {last})"))


def _in_use(connection: sa.Connection) -> set[int]:
    tables = (sa.table(name, sa.column("organization_id", Integer64)) for name in OWNED)
    asked = sa.union(*(sa.select(table.c.organization_id) for table in tables))
    return set(connection.execute(asked).scalars())


def _features(connection: sa.Connection) -> dict[int, dict[str, bool]]:
    columns = (sa.column("organization_id", Integer64), sa.column("name", sa.String), sa.column("is_on", sa.Boolean))
    features: dict[int, dict[str, bool]] = {}
    for number, name, is_on in connection.execute(sa.select(*columns).select_from(sa.table("feature"))):
        features.setdefault(number, {})[name] = is_on
    return features
