"""Both databases hold the contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.settings import Settings
from bpm.store import Database, open_database
from tests.contracts.database import DatabaseContract

pytestmark = pytest.mark.anyio


@pytest.mark.embedded
class TestSqlite(DatabaseContract):
    """The embedded one."""


class TestPostgres(DatabaseContract):
    """The distributed one."""

    @pytest.fixture
    async def database(self, tmp_path: Path, postgres_url: str) -> AsyncIterator[Database]:
        """A started database on a server."""
        database = open_database(Settings(data_dir=tmp_path, database_url=postgres_url))
        await database.start()
        yield database
        await database.stop()
