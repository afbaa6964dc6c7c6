"""What of a table goes when it is old."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, delete, func, not_, or_, select, update

from bpm.settings import RetentionSettings
from bpm.store.distinct_values import distinct_values
from bpm.store.retention.tables import mark_of
from bpm.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Share:
    """Rows of a table that are looked for together: an organisation's (None: all), or a rule's, before a moment.

    `since` is where the last run ended. `rule` is the number of the rule whose rows they are.
    """

    organization_id: int | None
    before: datetime
    since: datetime | None = None
    where: Sequence[ColumnElement[bool]] = ()
    rule: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Rows whose `moment` is too long ago and that meet the conditions are deleted or, with `values`, emptied.

    `limit` names the setting with the number of days, or is a fixed age. Rows of other tables go along where
    their column, in `along`, holds the `key`. `spare` orders what goes, whatever its age, when the database is
    too large: the lowest first, None never. A row whose `ended` is set must have ended that long ago, too. Rows
    that are `needed` stay for `needed_for` at least, whatever the limit and the size. One unit of the writer lets
    `batch` rows go. `prepare` is run before.

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
    needed: ColumnElement[bool] | None = None
    needed_for: timedelta = timedelta(0)
    prepare: Callable[[Transaction], None] | None = None

    def before(self, settings: RetentionSettings, now: datetime) -> datetime | None:
        """Return the moment before which rows go, or None when they stay for ever."""
        if isinstance(self.limit, timedelta):
            return now - self.limit
        days = getattr(settings, self.limit)
        return now - timedelta(days=days) if days else None

    def shares(self, tx: Transaction, settings: RetentionSettings, now: datetime) -> Sequence[Share]:
        """Return where to look for what is too old."""
        before = self.before(settings, now)
        if before is None:
            return ()
        mark = mark_of(tx, self.name) if self.values is not None else None
        return self.shares_before(tx, before, now, mark.until if mark is not None else None)

    def shares_before(
        self, tx: Transaction, before: datetime, now: datetime, since: datetime | None = None
    ) -> Sequence[Share]:
        """Return where to look for what came before a moment: a share for each organisation that has rows."""
        still_needed = now - self.needed_for
        where: tuple[ColumnElement[bool], ...] = ()
        if self.needed is not None and before > still_needed:
            where = (or_(self.moment < still_needed, not_(self.needed)),)
        return [Share(organization_id, before, since, where) for organization_id in self.organizations(tx)]

    def until(self, settings: RetentionSettings, now: datetime) -> datetime | None:
        """Return how far a whole run comes through time; None where the next run begins anew."""
        return self.before(settings, now) if self.values is not None else None

    def conclude(self, tx: Transaction, share: Share) -> None:
        """Note that nothing of a rule's share is left."""

    def organizations(self, tx: Transaction) -> Sequence[int | None]:
        """Return the organisations that have rows, by one step through the index each; None stands for all."""
        if not self.organized:
            return (None,)
        return distinct_values(tx, self.table.c.organization_id)

    def find(self, tx: Transaction, share: Share, since: datetime | None) -> Sequence[Any]:
        """Return (key, moment) of the oldest rows of a share that go, from `since` on."""
        chosen = select(self.key, self.moment).where(*self._where(share))
        if since is not None:
            chosen = chosen.where(self.moment >= since)
        return tx.connection.execute(chosen.order_by(self.moment).limit(self.batch)).all()

    def count(self, tx: Transaction, share: Share) -> int:
        """Return how many rows of a share go."""
        counted = select(func.count()).select_from(self.table).where(*self._where(share))
        if share.rule is not None and share.since is not None:
            counted = counted.where(self.moment >= share.since)
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

    def _where(self, share: Share) -> list[ColumnElement[bool]]:
        where = [self.moment < share.before, *share.where, *self.conditions]
        if share.organization_id is not None:
            where.append(self.table.c.organization_id == share.organization_id)
        if self.ended is not None:
            where.append(or_(self.ended.is_(None), self.ended < share.before))
        return where
