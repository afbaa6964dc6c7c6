"""The further headers of an answer that has to be given again."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the column; what was answered before had none that were kept."""
    op.add_column("inbound_request", sa.Column("answer_headers", sa.Text(), nullable=True))
