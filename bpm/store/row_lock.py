"""Rows that are read in order to be changed."""

from collections.abc import Sequence
from typing import TypeVar

from sqlmodel.sql.expression import SelectOfScalar

from bpm.store.transaction import Transaction

T = TypeVar("T")


def first_to_change(tx: Transaction, organization_id: int | None, statement: SelectOfScalar[T]) -> T | None:
    """Return the first row of an organisation as it is now, and keep others from changing it until `tx` is over.

    None sees every organisation's rows.
    """
    return tx.session(organization_id).exec(_locking(tx, statement)).first()


def all_to_change(tx: Transaction, organization_id: int | None, statement: SelectOfScalar[T]) -> Sequence[T]:
    """Return all rows in the same way; whoever takes several takes them in one order."""
    return tx.session(organization_id).exec(_locking(tx, statement)).all()


def _locking(tx: Transaction, statement: SelectOfScalar[T]) -> SelectOfScalar[T]:
    """Have what is read be as it is now.

    What is decided by a row that was read otherwise may be decided by what it was before another server process
    changed it. A snapshot only reads, and SQLite has one writer anyway.
    """
    if tx.is_snapshot:
        return statement
    return statement.with_for_update(key_share=True).execution_options(populate_existing=True)
