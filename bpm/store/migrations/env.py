"""Alembic's entry: runs on the connection that `bpm.store.migrate` hands over."""

from alembic import context
from sqlmodel import SQLModel

from bpm.store.application_migrations import VERSION_TABLE

connection = context.config.attributes["connection"]
version_table = context.config.attributes.get("version_table", VERSION_TABLE)
context.configure(
    connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, version_table=version_table
)
with context.begin_transaction():
    context.run_migrations()
