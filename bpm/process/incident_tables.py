"""Incidents of many instances: what waits for somebody to mend it."""

from typing import Any

from sqlalchemy import Select, func, select

from bpm.process.instance_tables import INSTANCES
from bpm.process.wait_tables import WAITS
from bpm.store import Transaction


def incidents(
    tx: Transaction,
    organization_id: int,
    process_key: str | None,
    definition_id: int | None,
    element_id: str | None,
    limit: int,
) -> list[tuple[int, int]]:
    """Return the instance and the wait of each incident, those of the oldest instance first."""
    chosen: Select[Any] = (
        select(WAITS.c.instance_id, WAITS.c.wait_id).order_by(WAITS.c.instance_id, WAITS.c.wait_id).limit(limit)
    )
    found = tx.connection.execute(_narrowed(chosen, organization_id, process_key, definition_id, element_id))
    return [(row.instance_id, row.wait_id) for row in found]


def count_incidents(
    tx: Transaction, organization_id: int, process_key: str | None, definition_id: int | None, element_id: str | None
) -> int:
    """Return how many incidents there are."""
    counted: Select[Any] = select(func.count())
    return tx.connection.execute(
        _narrowed(counted, organization_id, process_key, definition_id, element_id)
    ).scalar_one()


def _narrowed(
    statement: Select[Any],
    organization_id: int,
    process_key: str | None,
    definition_id: int | None,
    element_id: str | None,
) -> Select[Any]:
    statement = statement.select_from(WAITS.join(INSTANCES, INSTANCES.c.id == WAITS.c.instance_id))
    statement = statement.where(WAITS.c.kind == "incident", WAITS.c.organization_id == organization_id)
    wanted = (
        (INSTANCES.c.process_key, process_key),
        (INSTANCES.c.definition_id, definition_id),
        (WAITS.c.element_id, element_id),
    )
    return statement.where(*(column == value for column, value in wanted if value is not None))
