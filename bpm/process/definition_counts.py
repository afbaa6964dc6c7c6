"""Where the instances of one version stand, told by the newest instances of its organisation."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from bpm.process.instance_tables import INSTANCES
from bpm.process.wait_tables import WAITS
from bpm.store import Transaction

MOST_COUNTED = 25_000
"""Number of an organisation's instances that are looked at, the newest first."""


class StatusCount(NamedTuple):
    """How many of a version's instances have a status."""

    status: str
    total: int


class ElementCount(NamedTuple):
    """How many tokens rest at an element with waits of one kind."""

    element_id: str
    kind: str
    total: int


class DefinitionCounts(NamedTuple):
    """What was counted; `since` is when the oldest instance began that was looked at, None where all were."""

    statuses: list[StatusCount]
    elements: list[ElementCount]
    since: datetime | None


def count_definition(tx: Transaction, organization_id: int, definition_id: int) -> DefinitionCounts:
    """Count a version's instances by status, and what they wait for by element."""
    columns = (INSTANCES.c.id, INSTANCES.c.definition_id, INSTANCES.c.status, INSTANCES.c.created_at)
    newest = (
        select(*columns)
        .where(INSTANCES.c.organization_id == organization_id)
        .order_by(INSTANCES.c.created_at.desc())
        .limit(MOST_COUNTED)
        .subquery()
    )
    own = newest.c.definition_id == definition_id
    statuses = select(newest.c.status, func.count()).where(own).group_by(newest.c.status)
    places = (WAITS.c.element_id, WAITS.c.kind)
    waiting = newest.join(WAITS, WAITS.c.instance_id == newest.c.id)
    elements = select(*places, func.count()).select_from(waiting).where(own).group_by(*places)
    looked_at, oldest = tx.connection.execute(select(func.count(), func.min(newest.c.created_at))).one()
    return DefinitionCounts(
        [StatusCount._make(row) for row in tx.connection.execute(statuses)],
        [ElementCount._make(row) for row in tx.connection.execute(elements)],
        oldest if looked_at >= MOST_COUNTED else None,
    )
