"""A message that was to be sent later, and was given up: stored as it stands then."""

from datetime import datetime
from typing import Any

from bpm.bus.tables import SCHEDULED
from bpm.store import Database


async def store_given_up(database: Database, now: datetime) -> None:
    """Store a query of the administrator, `m1`, that was given up after all attempts."""
    row: dict[str, Any] = {
        "organization_id": 1,
        "id": "m1",
        "type": "PingQuery",
        "fields": {},
        "principal_id": "user:1",
        "principal_name": "admin",
        "permissions": [],
        "correlation_id": "c",
        "causation_id": "c",
        "depth": 0,
        "state": "dead",
        "attempt": 5,
        "created_at": now,
        "due_at": now,
    }
    await database.write(lambda tx: tx.connection.execute(SCHEDULED.insert(), row))
