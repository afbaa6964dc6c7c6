"""Counts of requests by state and how long they took, cheap however many there are: nothing goes beyond a bound."""

from datetime import datetime

from sqlalchemy import bindparam, func, select

from bpm.store import Transaction
from router.tables.requests import DEAD, DONE, FAILED, INBOUND, PENDING, QUARANTINED, RUNNING

MAX_COUNTED = 10_000
LATEST = 100
"""Of how many requests it is told how long they took."""
COUNTED = (PENDING, RUNNING, FAILED, DEAD, QUARANTINED)

_THOSE = (INBOUND.c.state == bindparam("state_"), INBOUND.c.organization_id == bindparam("organization_"))
_COUNT = select(func.count()).select_from(select(INBOUND.c.request_id).where(*_THOSE).limit(MAX_COUNTED).subquery())
_LATEST_DONE = (
    select(INBOUND.c.received_at, INBOUND.c.completed_at, INBOUND.c.replay_count + INBOUND.c.run)
    .where(*_THOSE)
    .order_by(INBOUND.c.received_at.desc(), INBOUND.c.request_id.desc())
    .limit(LATEST)
)
_OLDEST = select(func.min(INBOUND.c.received_at)).where(*_THOSE)


def count_states(tx: Transaction, organization_id: int) -> tuple[dict[str, int], datetime | None]:
    """Return how many requests of an organisation are in each state, and when the oldest came that waits."""

    def those(state: str) -> dict[str, str | int]:
        return {"state_": state, "organization_": organization_id}

    counts = {state: tx.connection.execute(_COUNT, those(state)).scalar_one() for state in COUNTED}
    return counts, tx.connection.execute(_OLDEST, those(PENDING)).scalar()


def latest_durations(tx: Transaction, organization_id: int) -> list[float]:
    """Return in order the seconds from receipt to end of the latest requests that were done, and not driven again."""
    latest = tx.connection.execute(_LATEST_DONE, {"state_": DONE, "organization_": organization_id})
    return sorted((done - received).total_seconds() for received, done, again in latest if done and not again)
