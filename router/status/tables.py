"""Counts of requests by state, cheap however many there are: none goes beyond a bound."""

from datetime import datetime

from sqlalchemy import bindparam, func, select

from bpm.store import Transaction
from router.tables.requests import DEAD, FAILED, INBOUND, PENDING, QUARANTINED, RUNNING

MAX_COUNTED = 10_000
COUNTED = (PENDING, RUNNING, FAILED, DEAD, QUARANTINED)

_THOSE = (INBOUND.c.state == bindparam("state_"), INBOUND.c.organization_id == bindparam("organization_"))
_COUNT = select(func.count()).select_from(select(INBOUND.c.request_id).where(*_THOSE).limit(MAX_COUNTED).subquery())
_OLDEST = select(func.min(INBOUND.c.received_at)).where(*_THOSE)


def count_states(tx: Transaction, organization_id: int) -> tuple[dict[str, int], datetime | None]:
    """Return how many requests of an organisation are in each state, and when the oldest came that waits."""

    def those(state: str) -> dict[str, str | int]:
        return {"state_": state, "organization_": organization_id}

    counts = {state: tx.connection.execute(_COUNT, those(state)).scalar_one() for state in COUNTED}
    return counts, tx.connection.execute(_OLDEST, those(PENDING)).scalar()
