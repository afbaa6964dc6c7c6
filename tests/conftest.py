"""What tests of several packages share: a real database in a temporary folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.settings import Settings
from bpm.store import Database, open_database


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run every asynchronous test on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an installation of its own."""
    return Settings(data_dir=tmp_path)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """A started SQLite database."""
    database = open_database(settings)
    await database.start()
    yield database
    await database.stop()
