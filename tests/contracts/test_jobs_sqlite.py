"""The job engine on tokens in SQLite."""

import pytest
from sqlalchemy import text

from tests.contracts.jobs import JobsContract

pytestmark = pytest.mark.anyio


class TestSqliteJobs(JobsContract):
    """The contract."""

    died = text("UPDATE pgqueuer SET status = 'picked'")
