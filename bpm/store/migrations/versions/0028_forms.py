"""Forms that user tasks name by their ids."""

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "deployed_form",
        sa.Column("organization_id", Integer64, nullable=False),
        sa.Column("id", Integer64, primary_key=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", Integer64, nullable=False),
        sa.Column("version_tag", sa.String(), nullable=True),
        sa.Column("form_json", sa.String(), nullable=False),
        sa.Column("author_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("organization_id", "key", "version"),
        sqlite_autoincrement=True,
    )
