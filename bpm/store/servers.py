"""Servers and workers that are connected to a database of PostgreSQL."""

from sqlalchemy import Connection, text

from bpm.store.database import APPLICATION

_ASKED = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = :name")


def connected_servers(connection: Connection) -> int:
    """Return how many connections servers and workers hold; that nobody works on a file is told by its lock."""
    if connection.dialect.name != "postgresql":
        return 0
    return connection.execute(_ASKED, {"name": APPLICATION}).scalar_one()
