"""Insert unless a unique index says no: the one statement that the databases spell differently."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Table


def insert_new(connection: Connection, table: Table) -> Any:
    """Return the prepared insert that does nothing where a unique index has the row already."""
    return _insert_new(connection.dialect.name, table)


@cache
def _insert_new(dialect: str, table: Table) -> Any:
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # loaded only where it is spoken
    else:
        from sqlalchemy.dialects.sqlite import insert
    return insert(table).on_conflict_do_nothing()
