"""The values that a column has, by steps through its index instead of a look at every row."""

from typing import Any

from sqlalchemy import ColumnElement, func, select

from bpm.store.transaction import Transaction


def distinct_values(tx: Transaction, column: ColumnElement[Any], *where: ColumnElement[bool]) -> list[Any]:
    """Return the values of a column in their order, without NULL; the column follows what `where` fixes in an index."""
    found: list[Any] = []
    least = select(func.min(column)).where(*where)
    while (next_one := tx.connection.execute(least).scalar()) is not None:
        found.append(next_one)
        least = select(func.min(column)).where(*where, column > next_one)
    return found
