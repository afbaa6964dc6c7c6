"""The product holds its contract on both databases."""

from collections.abc import AsyncIterator

import pytest

from bpm.testing import RunningApp, running_app
from tests.contracts.product import ProductContract

pytestmark = pytest.mark.anyio


@pytest.mark.embedded
class TestOnSqlite(ProductContract):
    """In a file."""

    @pytest.fixture
    async def app(self) -> AsyncIterator[RunningApp]:
        """The application on a file of its own."""
        async with running_app() as app:
            yield app


class TestOnPostgres(ProductContract):
    """On a server."""

    @pytest.fixture
    async def app(self, postgres_url: str) -> AsyncIterator[RunningApp]:
        """The application on a database of its own."""
        async with running_app(database_url=postgres_url) as app:
            yield app
