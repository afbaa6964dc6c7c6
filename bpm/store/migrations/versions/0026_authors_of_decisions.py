"""Who wrote a version of a decision, to be asked in what a process does by it."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add the column; of what is deployed already nobody is asked, as before."""
    op.add_column("deployed_decision", sa.Column("authority", sa.Text, nullable=True))
