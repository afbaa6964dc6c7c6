"""The job engine on PgQueuer's own tokens in PostgreSQL."""

from pathlib import Path

import pytest
from sqlalchemy import text

from bpm.settings import Settings
from tests.contracts.jobs import JobsContract

pytestmark = pytest.mark.anyio


class TestPostgresJobs(JobsContract):
    """The contract."""

    died = text("UPDATE pgqueuer SET status = 'picked', heartbeat = now() - interval '1 minute'")

    @pytest.fixture
    def settings(self, tmp_path: Path, postgres_url: str) -> Settings:
        return Settings(data_dir=tmp_path, database_url=postgres_url)
