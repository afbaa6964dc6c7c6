"""Rows that are read in order to be changed."""

from typing import TypeVar

from sqlmodel.sql.expression import SelectOfScalar

from bpm.store.transaction import Transaction

T = TypeVar("T")


def to_change(tx: Transaction, statement: SelectOfScalar[T]) -> SelectOfScalar[T]:
    """Return a select that finds rows as they are now, and keeps others from changing them until `tx` is over.

    What is decided by a row that was read otherwise may be decided by what it was before another server process
    changed it. A snapshot only reads, and SQLite has one writer anyway.
    """
    if tx.is_snapshot:
        return statement
    return statement.with_for_update(key_share=True).execution_options(populate_existing=True)
