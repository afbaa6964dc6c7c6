"""The first schema."""

from alembic import op
from sqlmodel import SQLModel

from bpm.store.migrate import own_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    SQLModel.metadata.create_all(op.get_bind(), tables=own_tables())
