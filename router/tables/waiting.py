"""Requests that wait: for a worker, or for a paused configuration to go on."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import exists, func, or_, select

from bpm.jobs import lacks_token, waits_in_lane
from bpm.store import Transaction
from bpm.store.organizations import is_active, is_switched_off
from bpm.store.records import Records
from router.tables.configs import CONFIGS
from router.tables.requests import FAILED, INBOUND, IS_OPEN, KIND, PENDING


class OpenRequest(NamedTuple):
    """A request that waits for a worker, at which attempt and since when it may be executed."""

    request_id: str
    attempt: int
    next_attempt_at: datetime | None
    received_at: datetime
    organization_id: int


class HeldRequests(NamedTuple):
    """How many requests wait that a paused configuration accepted, and the bytes of their bodies."""

    requests: int
    size: int


_REQUESTS = Records(OpenRequest, INBOUND)
_OPEN = _REQUESTS.select.where(
    IS_OPEN,
    or_(INBOUND.c.state != FAILED, INBOUND.c.next_attempt_at.is_not(None)),
    lacks_token(KIND, INBOUND.c.request_id, INBOUND.c.attempt),
    ~waits_in_lane(KIND, INBOUND.c.request_id),
    ~is_switched_off(INBOUND.c.organization_id),
    ~exists().where(CONFIGS.c.id == INBOUND.c.config_id, CONFIGS.c.paused_at.is_not(None)),
).order_by(INBOUND.c.received_at)


def open_requests(tx: Transaction, limit: int) -> list[OpenRequest]:
    """Return requests that wait for a worker and lack a job, the oldest first."""
    return _REQUESTS.all(tx.connection, _OPEN.limit(limit))


def is_held(tx: Transaction, config_id: int | None, organization_id: int) -> bool:
    """Tell whether a request rests: its configuration is paused, or its organisation switched off.

    Until the transaction ends nobody lets it go on: who does so then sees what was written here.
    """
    paused = select(CONFIGS.c.paused_at).where(CONFIGS.c.id == config_id).with_for_update(read=True)
    if config_id is not None and tx.connection.execute(paused).scalar() is not None:
        return True
    return not is_active(tx, organization_id, is_locked=True)


def count_held(tx: Transaction, config_id: int, most: int) -> HeldRequests:
    """Count the requests that a paused configuration accepted since and that wait, at most `most`."""
    since = select(CONFIGS.c.organization_id, CONFIGS.c.paused_at).where(CONFIGS.c.id == config_id)
    config = tx.connection.execute(since).first()
    if config is None or config.paused_at is None:
        return HeldRequests(0, 0)
    columns = INBOUND.c
    own = (columns.organization_id == config.organization_id, columns.config_id == config_id)
    waits = (columns.received_at >= config.paused_at, columns.cause.is_(None), columns.state == PENDING)
    found = select(func.length(columns.body).label("size")).where(*own, *waits).limit(most).subquery()
    counted = select(func.count(), func.coalesce(func.sum(found.c.size), 0)).select_from(found)
    row = tx.connection.execute(counted).one()
    return HeldRequests(row[0], int(row[1]))
