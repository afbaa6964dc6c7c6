"""A page of an instance's history is found by its place, without reading what stands before it."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0048"
down_revision = "0047"

PLACES = """
UPDATE process_history_entry SET entries_before = counted.entries_before
FROM (
    SELECT id, sum(entry_count) OVER (PARTITION BY instance_id ORDER BY id) - entry_count AS entries_before
    FROM process_history_entry
) AS counted
WHERE process_history_entry.id = counted.id
"""
LENGTHS = """
UPDATE process_instance SET history_count = coalesce(
    (
        SELECT entries_before + entry_count FROM process_history_entry
        WHERE instance_id = process_instance.id ORDER BY entries_before DESC LIMIT 1
    ),
    0
)
"""


def upgrade() -> None:
    """Add the place of each row, and the length that the next one begins at, to what is there as well."""
    op.add_column("process_instance", sa.Column("history_count", Integer64, nullable=False, server_default="0"))
    op.add_column("process_history_entry", sa.Column("entries_before", Integer64, nullable=True))
    op.execute(PLACES)
    op.create_index("ix_process_history_entry_place", "process_history_entry", ["instance_id", "entries_before"])
    op.drop_index("ix_process_history_entry_instance", "process_history_entry")
    op.execute(LENGTHS)
