"""Process instances go when they ended long ago, with their history."""

from bpm.process.history_tables import HISTORY
from bpm.process.instance_tables import INSTANCES
from bpm.process.part_tables import PARTS
from bpm.process.wait_tables import WAITS
from bpm.store.retention import Policy

POLICIES = (
    Policy(
        "ended process instances",
        "rows_days",
        table=INSTANCES,
        key=INSTANCES.c.id,
        moment=INSTANCES.c.created_at,
        ended=INSTANCES.c.ended_at,
        conditions=(INSTANCES.c.ended_at.is_not(None),),
        along=(HISTORY.c.instance_id, WAITS.c.instance_id, PARTS.c.instance_id),
        batch=10,
    ),
)
