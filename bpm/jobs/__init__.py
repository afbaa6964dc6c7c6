"""Work for later: wake-up tokens, while the truth about the work stands in the tables of whoever asked."""

from bpm.jobs.jitter import jittered
from bpm.jobs.lanes import Lane, Lanes
from bpm.jobs.interface import Job, JobKind, JobQueue
from bpm.jobs.tables import lacks_token
from bpm.jobs.lane_tables import waits_in_lane

__all__ = ["Job", "JobKind", "JobQueue", "Lane", "Lanes", "jittered", "lacks_token", "waits_in_lane"]
