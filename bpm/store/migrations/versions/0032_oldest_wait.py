"""The wait that has waited longest for a message is found without reading all that wait for its name and key."""

from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Put an index in the order of waiting in the place of one by name and key alone."""
    columns = ["organization_id", "name", "key", "created_at", "instance_id", "wait_id"]
    op.create_index("ix_process_wait_oldest", "process_wait", columns, unique=False)
    op.drop_index("ix_process_wait_message", "process_wait")
