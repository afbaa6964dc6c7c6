"""When rows of the bus's own tables are deleted."""

from bpm.bus.tables import AUDIT, KEPT, KEYS, SCHEDULED
from bpm.store.retention import Policy

POLICIES = (
    Policy("audit log", "audit_days", table=AUDIT, key=AUDIT.c.id, moment=AUDIT.c.created_at),
    Policy("idempotency keys", KEPT, table=KEYS, key=KEYS.c.id, moment=KEYS.c.created_at, organized=False),
    Policy(
        "sent messages",
        "rows_days",
        table=SCHEDULED,
        key=SCHEDULED.c.id,
        moment=SCHEDULED.c.due_at,
        conditions=(SCHEDULED.c.state == "sent",),
        organized=False,
    ),
    Policy(
        "dead messages",
        "dead_days",
        table=SCHEDULED,
        key=SCHEDULED.c.id,
        moment=SCHEDULED.c.due_at,
        conditions=(SCHEDULED.c.state == "dead",),
        organized=False,
    ),
)
