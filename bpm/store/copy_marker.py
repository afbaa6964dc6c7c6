"""A table that stands in the target of a copy until the copy is whole: no server works on a half of the data."""

from sqlalchemy import Column, Connection, MetaData, Table, Text, inspect, select

from bpm.errors import Misconfigured

UNFINISHED = Table("unfinished_copy", MetaData(), Column("source", Text, primary_key=True))
"""Its one row names the source."""


def unfinished_source(connection: Connection) -> str | None:
    """Return what is being copied into a database; None when nothing is."""
    if not inspect(connection).has_table(UNFINISHED.name):
        return None
    return connection.execute(select(UNFINISHED.c.source)).scalar()


def begin_copy(connection: Connection, source: str) -> None:
    """Write down that a copy has begun."""
    UNFINISHED.create(connection)
    connection.execute(UNFINISHED.insert(), {"source": source})


def end_copy(connection: Connection) -> None:
    """Let servers work on the database from now on."""
    UNFINISHED.drop(connection)


def refuse_unfinished(connection: Connection) -> None:
    """Raise `Misconfigured` for a database into which a copy goes on, or was broken off."""
    source = unfinished_source(connection)
    if source is not None:
        raise Misconfigured(
            f"the copy of {source} into this database is not finished; run the same `bpm db copy` again, which goes "
            "on where it stopped"
        )
