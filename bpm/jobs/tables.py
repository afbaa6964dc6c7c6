"""The table of tokens: PgQueuer's own on PostgreSQL, and one of the same name when embedded."""

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    cast,
    column,
    exists,
    literal,
    literal_column,
    table,
)

NAME = "pgqueuer"
TOKENS = table(NAME, column("dedupe_key", String()), column("status", String()))

DEATHS = Table(
    f"{NAME}_deaths",
    MetaData(),
    Column("key", Text, primary_key=True),
    Column("deaths", Integer, nullable=False),
    Column("is_waiting", Boolean, nullable=False),
)
"""How often a process died while it ran a job; `is_waiting`: the job was only waiting for its turn.

Like tokens, deaths stay behind when a database is copied: a copy has no jobs that run.
"""

_ALIVE = TOKENS.c.status.in_([literal_column("'queued'"), literal_column("'picked'")])


def lacks_token(kind: str, ref: ColumnElement[str], attempt: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that no token wakes this attempt of a row; see `JobKind.pending`."""
    key = literal(f"{kind}:") + ref + literal(":") + cast(attempt, String)
    return ~exists().where(TOKENS.c.dedupe_key == key, _ALIVE)
