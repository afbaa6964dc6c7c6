"""Alembic's entry: runs on the connection that `bpm.store.migrate` hands over."""

from alembic import context
from sqlmodel import SQLModel

connection = context.config.attributes["connection"]
version_table = context.config.attributes.get("version_table", "alembic_version")
context.configure(
    connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, version_table=version_table
)
with context.begin_transaction():
    context.run_migrations()
