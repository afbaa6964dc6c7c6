"""Prepared look-ups for the paths where an object-relational query would cost more than all the rest.

Like a session, a look-up sees the rows of one organisation only; None sees every organisation's.
"""

from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Table, bindparam

from bpm.store.prepared_query import PreparedQuery
from bpm.store.records import Records
from bpm.store.transaction import Transaction

R = TypeVar("R", bound=NamedTuple)


class Lookup(Generic[R]):
    """Finds a record by the values of some columns; the statements are built once."""

    def __init__(self, records: Records[R], table: Table, *columns: str) -> None:
        """Look in `table` by these columns."""
        anywhere = records.select.where(*(table.c[name] == bindparam(name) for name in columns))
        self._anywhere = PreparedQuery(records, anywhere)
        self._own = PreparedQuery(records, anywhere.where(table.c.organization_id == bindparam("own_organization")))

    def first(self, tx: Transaction, organization_id: int | None, **values: Any) -> R | None:
        """Return the first record, or None."""
        if organization_id is None:
            return self._anywhere.first(tx, **values)
        return self._own.first(tx, **values, own_organization=organization_id)
