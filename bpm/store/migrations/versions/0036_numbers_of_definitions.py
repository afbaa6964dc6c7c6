"""The number of a deleted process definition is not given again, as in the other tables (0009 lost that on SQLite)."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

LAST = sa.text(
    "SELECT max(id) FROM (SELECT id FROM deployed_process UNION ALL SELECT definition_id FROM process_instance)"
)
"""Instances still say which numbers were given."""


def upgrade() -> None:
    """Copy the table; a sequence of PostgreSQL never goes back."""
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        return
    with op.batch_alter_table("deployed_process", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
        pass
    bind.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = 'deployed_process'"))
    given = {"last": bind.execute(LAST).scalar() or 0}
    bind.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('deployed_process', :last)"), given)
