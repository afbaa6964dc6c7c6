"""Rows that are read in order to be changed."""

from typing import TypeVar

from sqlmodel.sql.expression import SelectOfScalar

from bpm.store.transaction import Transaction

T = TypeVar("T")


def first_to_change(tx: Transaction, organization_id: int | None, statement: SelectOfScalar[T]) -> T | None:
    """Return the first row of an organisation as it is now, and keep others from changing it until `tx` is over.

    What is decided by a row that was read otherwise may be decided by what it was before another server process
    changed it. A snapshot only reads, and SQLite has one writer anyway. None sees every organisation's rows.
    """
    if not tx.is_snapshot:
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return tx.session(organization_id).exec(statement).first()
