"""What begins, calls and offers: triggers, schedules, early messages, decisions, candidates, calling instances."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64, JsonColumn

revision = "0009"
down_revision = "0008"

JSON = sa.Text()


def upgrade() -> None:
    """Create the tables, and let the newest active versions listen as before."""
    op.create_table(
        "process_trigger",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("id", Integer64, primary_key=True),
        sa.Column("definition_id", Integer64, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("element_id", sa.String(), nullable=True),
    )
    op.create_index("ix_process_trigger_name", "process_trigger", ["organization_id", "kind", "name"])
    op.create_index("ix_process_trigger_definition", "process_trigger", ["definition_id"])
    op.create_table(
        "process_schedule",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("definition_id", Integer64, primary_key=True),
        sa.Column("element_id", sa.String(), primary_key=True),
        sa.Column("turn", Integer64, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", JSON, nullable=True),
    )
    op.create_table(
        "buffered_message",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("id", Integer64, primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("variables", JSON, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_buffered_message_name", "buffered_message", ["organization_id", "name", "key"])
    op.create_index("ix_buffered_message_expires", "buffered_message", ["expires_at"])
    op.create_table(
        "deployed_decision",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("id", Integer64, primary_key=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", Integer64, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("dmn_xml", sa.String(), nullable=False),
        sa.Column("author_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("organization_id", "key", "version"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "task_candidate",
        sa.Column("instance_id", Integer64, primary_key=True),
        sa.Column("wait_id", Integer64, primary_key=True),
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
    )
    op.create_index("ix_task_candidate_name", "task_candidate", ["kind", "name"])
    with op.batch_alter_table("process_instance") as table:
        for name in ("parent_id", "parent_wait", "parent_attempt", "root_id"):
            table.add_column(sa.Column(name, Integer64, nullable=True))
        table.add_column(sa.Column("depth", Integer64, nullable=False, server_default="0"))
        table.create_index("ix_process_instance_parent", ["parent_id", "parent_wait"])
        table.create_index("ix_process_instance_root", ["root_id"])
    with op.batch_alter_table("deployed_process") as table:
        table.add_column(sa.Column("author_name", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("permissions", JSON, nullable=False, server_default="[]"))
    _listen()
    with op.batch_alter_table("deployed_process") as table:
        table.drop_column("start_messages")


def _listen() -> None:
    """Make triggers of the names that begin the newest active version of each process."""
    names = ("id", "organization_id", "key", "is_active", "trigger_events", "start_messages")
    json = ("trigger_events", "start_messages")
    deployed = sa.table(
        "deployed_process", *(sa.column(name, JsonColumn() if name in json else sa.types.NullType()) for name in names)
    )
    columns = ("organization_id", "definition_id", "kind", "name")
    triggers = sa.table("process_trigger", *map(sa.column, columns))
    newest: dict[tuple[int, str], Any] = {}
    for row in op.get_bind().execute(sa.select(deployed).where(deployed.c.is_active).order_by(deployed.c.id)):
        newest[row.organization_id, row.key] = row
    for row in newest.values():
        for kind, listed in (("event", row.trigger_events), ("message", row.start_messages)):
            for name in listed:
                values = {"organization_id": row.organization_id, "definition_id": row.id, "kind": kind, "name": name}
                op.get_bind().execute(triggers.insert(), values)
