"""Which job engine belongs to the database that the settings name."""

from bpm.clock import Clock
from bpm.jobs.interface import JobQueue
from bpm.jobs.queue import JobRunner
from bpm.jobs.sqlite import SqliteTokens
from bpm.jobs.worker_lock import worker_lock
from bpm.settings import Settings
from bpm.store import Database


def open_jobs(database: Database, settings: Settings, clock: Clock) -> JobQueue:
    """Return the engine beside `database`, not yet started."""
    if database.dsn is None:
        tokens = SqliteTokens(database, worker_lock(settings))
        return JobRunner(tokens, database, settings.worker_concurrency, clock)
    from bpm.jobs.pgqueuer import PostgresTokens  # asyncpg is there only where PostgreSQL is used

    return JobRunner(PostgresTokens(database.dsn), database, settings.worker_concurrency, clock)
