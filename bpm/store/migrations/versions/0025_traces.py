"""Indexes that lead from one cause to all that it set in motion."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Create them."""
    for table, name, columns in (
        ("event", "correlation", ["correlation_id", "created_at"]),
        ("delivery", "event", ["event_id", "number"]),
        ("process_instance", "correlation", ["correlation_id", "id"]),
        ("code_run", "correlation", ["organization_id", "correlation_id", "created_at"]),
    ):
        op.create_index(f"ix_{table}_{name}", table, columns)
