"""Work for later: wake-up tokens, while the truth about the work stands in the tables of whoever asked."""

from bpm.jobs.port import Job, JobKind, JobQueue
from bpm.jobs.tables import lacks_token

__all__ = ["Job", "JobKind", "JobQueue", "lacks_token"]
