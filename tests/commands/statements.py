"""Which statements a query runs, and how SQLite finds their rows."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from bpm.store import Database, Transaction


@contextmanager
def statements(connection: Connection) -> Generator[list[tuple[str, Any]]]:
    """Collect what is run on a connection."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        seen.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(connection, "before_cursor_execute", note)


async def plans_of(database: Database, work: Callable[[Transaction], object]) -> list[str]:
    """Return how SQLite runs each statement of some work, a line a table."""

    def explain(tx: Transaction) -> list[str]:
        with statements(tx.connection) as seen:
            work(tx)
        explained = [tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given).all() for sql, given in seen]
        return [line[3] for lines in explained for line in lines]

    return await database.read(explain)
