"""The job engine on PgQueuer's own tokens in PostgreSQL."""

from pathlib import Path

import pytest
from sqlalchemy import text

from bpm.jobs import JobQueue
from bpm.jobs.pgqueuer import COUNT_SECONDS
from bpm.settings import Settings
from bpm.store import Database
from bpm.testing import until
from tests.contracts.jobs import JobsContract, NewJob, Notes, Working

pytestmark = pytest.mark.anyio

AHEAD = text("""
    SELECT extract(epoch FROM execute_after - updated)::float FROM pgqueuer, pgqueuer_deaths
    WHERE status = 'queued' AND dedupe_key = key
""")
"""How long what a dead process was running stays where it is, once its death is counted."""


class TestPostgresJobs(JobsContract):
    """The contract."""

    died = text("UPDATE pgqueuer SET status = 'picked', heartbeat = now() - interval '1 minute'")

    @pytest.fixture
    def settings(self, tmp_path: Path, postgres_url: str) -> Settings:
        return Settings(data_dir=tmp_path, database_url=postgres_url)

    async def test_a_suspect_is_taken_when_every_worker_knows_of_it(
        self, database: Database, idle: JobQueue, working: Working, job: NewJob
    ) -> None:
        """One that has just looked would run it as any other job, and its own death would be nobody's."""
        await database.write(lambda tx: idle.enqueue(tx, job("suspect")))
        await database.write(lambda tx: tx.connection.execute(self.died))
        async with working(Notes()):
            ahead = await until(lambda: database.read(lambda tx: tx.connection.execute(AHEAD).scalar()))
        assert ahead is not None
        assert ahead > COUNT_SECONDS
