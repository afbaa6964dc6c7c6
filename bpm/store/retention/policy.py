"""What of a table goes when it is old."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, delete, func, or_, select, update

from bpm.settings import RetentionSettings
from bpm.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Policy:
    """Rows whose `moment` is too long ago and that meet the conditions are deleted or, with `values`, emptied.

    `limit` names the setting with the number of days, or is a fixed age. Rows of other tables go along where
    their column, in `along`, holds the `key`. `spare` orders what goes, whatever its age, when the database is
    too large: the lowest first, None never. A row whose `ended` is set must have ended that long ago, too. One
    unit of the writer lets `batch` rows go.

    The organisation and `moment` are the head of an index, or `moment` alone when the table is not `organized`.
    """

    name: str
    limit: str | timedelta
    table: Table
    key: Column[Any]
    moment: Column[Any]
    conditions: Sequence[ColumnElement[bool]] = ()
    values: Mapping[str, Any] | None = None
    along: Sequence[Column[Any]] = field(default_factory=tuple)
    ended: Column[Any] | None = None
    spare: int | None = None
    organized: bool = True
    batch: int = 100

    def before(self, settings: RetentionSettings, now: datetime) -> datetime | None:
        """Return the moment before which rows go, or None when they stay for ever."""
        if isinstance(self.limit, timedelta):
            return now - self.limit
        days = getattr(settings, self.limit)
        return now - timedelta(days=days) if days else None

    def organizations(self, tx: Transaction) -> Sequence[int | None]:
        """Return the organisations that have rows, by one step through the index each; None stands for all."""
        if not self.organized:
            return (None,)
        found: list[int] = []
        column = self.table.c.organization_id
        least = select(func.min(column))
        while (next_one := tx.connection.execute(least).scalar()) is not None:
            found.append(next_one)
            least = select(func.min(column)).where(column > next_one)
        return found

    def find(
        self, tx: Transaction, organization_id: int | None, since: datetime | None, before: datetime
    ) -> Sequence[Any]:
        """Return (key, moment) of the oldest rows that go, from `since` on."""
        chosen = select(self.key, self.moment).where(*self._where(organization_id, before))
        if since is not None:
            chosen = chosen.where(self.moment >= since)
        return tx.connection.execute(chosen.order_by(self.moment).limit(self.batch)).all()

    def count(self, tx: Transaction, organization_id: int | None, before: datetime) -> int:
        """Return how many rows go."""
        counted = select(func.count()).select_from(self.table).where(*self._where(organization_id, before))
        return tx.connection.execute(counted).scalar_one()

    def prune(self, tx: Transaction, keys: Sequence[Any]) -> int:
        """Let rows go that still meet the conditions; return how many."""
        among = (self.key.in_(keys), *self.conditions)
        if self.values is not None:
            return tx.connection.execute(update(self.table).where(*among).values(**self.values)).rowcount
        going = tx.connection.execute(select(self.key).where(*among).with_for_update()).scalars().all()
        for column in self.along:
            tx.connection.execute(delete(column.table).where(column.in_(going)))
        tx.connection.execute(delete(self.table).where(self.key.in_(going)))
        return len(going)

    def _where(self, organization_id: int | None, before: datetime) -> list[ColumnElement[bool]]:
        where = [self.moment < before, *self.conditions]
        if organization_id is not None:
            where.append(self.table.c.organization_id == organization_id)
        if self.ended is not None:
            where.append(or_(self.ended.is_(None), self.ended < before))
        return where
