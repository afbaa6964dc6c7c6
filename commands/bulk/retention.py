"""Bulk jobs go when they ended long ago, with their lists; plans that nobody started, too."""

from datetime import timedelta

from bpm.bulk.tables import JOBS, PLANNED, ROWS, RUNNING
from bpm.store.retention import Policy

POLICIES = (
    Policy(
        "bulk jobs",
        "rows_days",
        table=JOBS,
        key=JOBS.c.id,
        moment=JOBS.c.created_at,
        ended=JOBS.c.completed_at,
        conditions=(JOBS.c.state != RUNNING,),
        along=(ROWS.c.job_id,),
        batch=1,
    ),
    Policy(
        "plans of bulk jobs",
        timedelta(days=1),
        table=JOBS,
        key=JOBS.c.id,
        moment=JOBS.c.created_at,
        conditions=(JOBS.c.state == PLANNED,),
        along=(ROWS.c.job_id,),
        batch=1,
    ),
)
