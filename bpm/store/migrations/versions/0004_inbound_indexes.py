"""Indexes that tell the pages and totals of captured requests without a look at the rows."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TABLE = "inbound_request"


def upgrade() -> None:
    """Replace the indexes of lists."""
    for name in ("org_received", "state", "config"):
        op.drop_index(f"ix_{TABLE}_{name}", table_name=TABLE)
    _create("received", "organization_id", "received_at", "request_id", "cause", "address")
    _create("state", "state", "organization_id", "received_at", "request_id", "config_id", "cause")
    _create("config", "organization_id", "config_id", "received_at", "request_id", "cause")
    for column in ("cause", "provider"):
        is_set = sa.text(f"{column} IS NOT NULL")
        columns = ("organization_id", column, "received_at", "request_id")
        _create(column, *columns, sqlite_where=is_set, postgresql_where=is_set)


def _create(name: str, *columns: str, **options: Any) -> None:
    op.create_index(f"ix_{TABLE}_{name}", TABLE, list(columns), unique=False, **options)
