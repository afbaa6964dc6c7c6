"""What whoever asked for a back-test may do, to be asked while it runs in the background."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    """Add the columns; a back-test that is under way has to be asked for again."""
    op.add_column("back_test", sa.Column("author_name", sa.String, nullable=True))
    op.add_column("back_test", sa.Column("permissions", sa.Text, nullable=True))
    op.add_column("back_test", sa.Column("authority", sa.Text, nullable=True))
