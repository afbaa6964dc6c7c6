"""The newest version of each key, of definitions, decisions and forms alike."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Table, func, select

from bpm.store import Transaction


def newest_versions(
    tx: Transaction, table: Table, organization_id: int, keys: Iterable[str] | None, *conditions: ColumnElement[bool]
) -> Iterator[Any]:
    """Yield the newest row of each key of an organisation, of those in `keys` if they are given, by the conditions."""
    newest = select(func.max(table.c.id)).where(table.c.organization_id == organization_id, *conditions)
    if keys is not None:
        newest = newest.where(table.c.key.in_(list(keys)))
    found = select(table).where(table.c.id.in_(newest.group_by(table.c.key))).order_by("key")
    yield from tx.reading.execute(found)
