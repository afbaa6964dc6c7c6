"""Prepared look-ups for the paths where an object-relational query would cost more than all the rest.

Like a session, a look-up sees the rows of one organisation only; None sees every organisation's.
"""

from typing import Any

from sqlalchemy import bindparam, select

from bpm.store.rows import OrganizationRow
from bpm.store.transaction import Transaction


class Lookup:
    """Finds a row by the values of some columns; the statements are built once."""

    def __init__(self, row_type: type[OrganizationRow], *columns: str) -> None:
        """Look in the table of `row_type` by these columns."""
        table = row_type.table()
        self._anywhere = select(table).where(*(table.c[name] == bindparam(name) for name in columns))
        self._own = self._anywhere.where(table.c.organization_id == bindparam("own_organization"))

    def first(self, tx: Transaction, organization_id: int | None, **values: Any) -> Any:
        """Return the first row, with the table's columns as attributes, or None."""
        if organization_id is None:
            return tx.reading.execute(self._anywhere, values).first()
        return tx.reading.execute(self._own, {**values, "own_organization": organization_id}).first()
