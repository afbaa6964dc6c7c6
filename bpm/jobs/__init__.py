"""Work for later. A job only wakes a worker; the state of the work is in its own row."""

from bpm.jobs.interface import Job, JobKind, JobQueue
from bpm.jobs.jitter import jittered
from bpm.jobs.lane_tables import waits_in_lane
from bpm.jobs.lanes import Lane, Lanes
from bpm.jobs.retry import RetryPolicy
from bpm.jobs.tables import lacks_token

__all__ = [
    "Job",
    "JobKind",
    "JobQueue",
    "Lane",
    "Lanes",
    "RetryPolicy",
    "jittered",
    "lacks_token",
    "waits_in_lane",
]
