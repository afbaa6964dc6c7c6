"""Who wrote a version of a form, to be asked in what a process does with the values that it let through."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"


def upgrade() -> None:
    """Add the column; of what is deployed already nobody is asked, as before."""
    op.add_column("deployed_form", sa.Column("authority", sa.Text, nullable=True))
