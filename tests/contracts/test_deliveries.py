"""Deliveries hold their contract on both databases."""

from collections.abc import AsyncIterator

import pytest

from bpm.testing import WebhookReceiver, running_app
from tests.bpm.events.conftest import DELIVERING, DeliveringApp
from tests.contracts.deliveries import DeliveriesContract

pytestmark = pytest.mark.anyio


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """A receiver on loopback."""
    async with WebhookReceiver() as receiver:
        yield receiver


@pytest.mark.embedded
class TestOnSqlite(DeliveriesContract):
    """In a file."""

    @pytest.fixture
    async def delivering(self) -> AsyncIterator[DeliveringApp]:
        """A server on a file of its own."""
        async with running_app(**DELIVERING) as server:
            yield DeliveringApp(server)


class TestOnPostgres(DeliveriesContract):
    """On a server."""

    @pytest.fixture
    async def delivering(self, postgres_url: str) -> AsyncIterator[DeliveringApp]:
        """A server on a database of its own."""
        async with running_app(**DELIVERING, database_url=postgres_url) as server:
            yield DeliveringApp(server)
