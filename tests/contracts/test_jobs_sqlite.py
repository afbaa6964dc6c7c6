"""The job engine on tokens in SQLite."""

import pytest

from tests.contracts.jobs import JobsContract

pytestmark = pytest.mark.anyio


class TestSqliteJobs(JobsContract):
    """The contract, and nothing else."""
