"""Requests that wait: for a worker, or for a paused configuration to go on."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, func, or_, select

from bpm.jobs import lacks_token, waits_in_lane
from bpm.store import Transaction
from bpm.store.organizations import is_switched_off
from router.tables.configs import CONFIGS
from router.tables.requests import FAILED, INBOUND, IS_OPEN, KIND, PENDING

_OPEN = (
    select(INBOUND.c.request_id, INBOUND.c.attempt, INBOUND.c.next_attempt_at, INBOUND.c.received_at)
    .where(
        IS_OPEN,
        or_(INBOUND.c.state != FAILED, INBOUND.c.next_attempt_at.is_not(None)),
        lacks_token(KIND, INBOUND.c.request_id, INBOUND.c.attempt),
        ~waits_in_lane(KIND, INBOUND.c.request_id),
        ~is_switched_off(INBOUND.c.organization_id),
        ~exists().where(CONFIGS.c.id == INBOUND.c.config_id, CONFIGS.c.paused_at.is_not(None)),
    )
    .order_by(INBOUND.c.received_at)
)


def open_requests(tx: Transaction, limit: int) -> Sequence[Any]:
    """Return (request_id, attempt, next_attempt_at, received_at) of requests that wait for a worker and lack a job."""
    return tx.connection.execute(_OPEN.limit(limit)).all()


def count_held(tx: Transaction, config_id: int, most: int) -> tuple[int, int]:
    """Return how many requests wait that a paused configuration accepted since, at most `most`, and their bytes."""
    since = select(CONFIGS.c.organization_id, CONFIGS.c.paused_at).where(CONFIGS.c.id == config_id)
    config = tx.connection.execute(since).first()
    if config is None or config.paused_at is None:
        return 0, 0
    columns = INBOUND.c
    own = (columns.organization_id == config.organization_id, columns.config_id == config_id)
    waits = (columns.received_at >= config.paused_at, columns.cause.is_(None), columns.state == PENDING)
    found = select(func.length(columns.body).label("size")).where(*own, *waits).limit(most).subquery()
    counted = select(func.count(), func.coalesce(func.sum(found.c.size), 0)).select_from(found)
    row = tx.connection.execute(counted).one()
    return row[0], int(row[1])
