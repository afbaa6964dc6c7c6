"""On whose behalf stored work is done: ids of accounts and keys, beside the permissions they had.

Instances and messages of webhook rules get the account that their rule acts for; rows of people need nothing, for
they name them already.
"""

import sqlalchemy as sa
from alembic import op
from pydantic_core import from_json, to_json

revision = "0015"
down_revision = "0014"

AUTHORITIES = (
    ("scheduled_message", "authority"),
    ("webhook_config", "authority"),
    ("deployed_process", "authority"),
    ("deployed_process", "switched_on_by"),
    ("process_instance", "authority"),
    ("process_instance", "migrator"),
    ("subscription", "script_authority"),
)


def upgrade() -> None:
    """Add the columns, and fill those of rows that a rule made and that still have something to do."""
    for table, column in AUTHORITIES:
        op.add_column(table, sa.Column(column, sa.Text(), nullable=True))
    for table in ("user", "api_key"):
        op.add_column(table, sa.Column("created_by", sa.String(), nullable=True))
        op.create_index(f"ix_{table}_created_by", table, ["created_by"])
    op.add_column("api_key", sa.Column("ends_with", sa.Text(), nullable=True))
    connection = op.get_bind()
    holders = _holders(connection)
    _fill(connection, "process_instance", "starter_id", "ended_at IS NULL", holders)
    _fill(connection, "scheduled_message", "principal_id", "state = 'waiting'", holders)


def _holders(connection: sa.Connection) -> dict[str, str]:
    """Return the account of each rule by the rule's id as a principal; of a deleted one, who deleted it."""
    deleted = "SELECT config_id, author_id FROM webhook_config_revision ORDER BY id"
    existing = "SELECT id, coalesce(run_as_id, author_id) FROM webhook_config"
    found = [*connection.execute(sa.text(deleted)), *connection.execute(sa.text(existing))]
    return {f"rule:{number}": holder for number, holder in found}


def _fill(connection: sa.Connection, table: str, column: str, condition: str, holders: dict[str, str]) -> None:
    """Name the account of the rule that made a row; without one, what the row was allowed stays its limit."""
    rows = sa.table(table, sa.column("id"), sa.column(column), sa.column("permissions"), sa.column("authority"))
    made_by_rules = sa.select(rows.c.id, rows.c[column], rows.c.permissions).where(
        rows.c[column].like("rule:%"), sa.text(condition)
    )
    for id_, rule, permissions in connection.execute(made_by_rules).all():
        holder = holders.get(rule, "")
        accounts = [holder] if holder.startswith(("user:", "key:")) else []
        authority = to_json({"accounts": accounts, "within": from_json(permissions)}).decode()
        connection.execute(rows.update().where(rows.c.id == id_).values(authority=authority))
