"""Incidents of many instances: what waits for somebody to mend it."""

from sqlalchemy import ColumnElement, func, select

from bpm.process.instance_tables import INSTANCES
from bpm.process.wait_tables import WAITS
from bpm.store import Transaction

WHERE_THEY_ARE = WAITS.join(INSTANCES, INSTANCES.c.id == WAITS.c.instance_id)


def incidents(
    tx: Transaction,
    organization_id: int,
    process_key: str | None,
    definition_id: int | None,
    element_id: str | None,
    limit: int,
) -> list[tuple[int, int]]:
    """Return the instance and the wait of each incident, those of the oldest instance first."""
    chosen = (
        select(WAITS.c.instance_id, WAITS.c.wait_id)
        .select_from(WHERE_THEY_ARE)
        .where(*_conditions(organization_id, process_key, definition_id, element_id))
        .order_by(WAITS.c.instance_id, WAITS.c.wait_id)
        .limit(limit)
    )
    return [(row.instance_id, row.wait_id) for row in tx.connection.execute(chosen)]


def count_incidents(
    tx: Transaction, organization_id: int, process_key: str | None, definition_id: int | None, element_id: str | None
) -> int:
    """Return how many incidents there are."""
    conditions = _conditions(organization_id, process_key, definition_id, element_id)
    counted = select(func.count()).select_from(WHERE_THEY_ARE).where(*conditions)
    return tx.connection.execute(counted).scalar_one()


def _conditions(
    organization_id: int, process_key: str | None, definition_id: int | None, element_id: str | None
) -> list[ColumnElement[bool]]:
    wanted = (
        (INSTANCES.c.process_key, process_key),
        (INSTANCES.c.definition_id, definition_id),
        (WAITS.c.element_id, element_id),
    )
    return [
        WAITS.c.kind == "incident",
        WAITS.c.organization_id == organization_id,
        *(column == value for column, value in wanted if value is not None),
    ]
