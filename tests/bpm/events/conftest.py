"""A started application that may deliver to loopback, and what tests ask of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.events.attempt import AttemptClient
from bpm.testing import RunningApp, WebhookReceiver, running_app, until
from tests.bpm.events.serving import LOOPBACK

DELIVERING: dict[str, Any] = {"delivery": {"allowed_networks": "127.0.0.0/8, ::1/128"}}


class DeliveringApp:
    """A server with subscriptions."""

    def __init__(self, server: RunningApp) -> None:
        self.server = server
        self.cmd = server.cmd

    async def subscribe(self, url: str, *events: str, **fields: Any) -> dict[str, Any]:
        """Create a subscription."""
        return await self.cmd("CreateSubscriptionCommand", url=url, events=list(events or ("*",)), **fields)

    async def publish(self, event: str = "task.created", data: Any = None, **fields: Any) -> dict[str, Any]:
        """Publish an event."""
        return await self.cmd("PublishEventCommand", event=event, data=data or {}, **fields)

    async def deliveries(self, **filters: Any) -> list[dict[str, Any]]:
        """Return deliveries, the oldest first."""
        found = await self.cmd("GetDeliveryListQuery", pageSize=200, sortDirection="asc", **filters)
        return found["items"]

    async def delivery(self, **filters: Any) -> dict[str, Any]:
        """Return the only delivery, with its history."""
        (found,) = await self.deliveries(**filters)
        return await self.cmd("GetDeliveryByIdQuery", id=found["id"])

    async def subscription(self, id_: int) -> dict[str, Any]:
        """Return a subscription as it is."""
        return await self.cmd("GetSubscriptionByIdQuery", id=id_)

    async def settled(self, state: str = "delivered", count: int = 1, seconds: float = 30) -> list[dict[str, Any]]:
        """Wait until so many deliveries are in a state, and return them."""
        return await until(lambda: self.deliveries(state=state), lambda found: len(found) >= count, seconds=seconds)


@pytest.fixture
async def delivering() -> AsyncIterator[DeliveringApp]:
    """A server that delivers to loopback."""
    async with running_app(**DELIVERING) as server:
        yield DeliveringApp(server)


@pytest.fixture
async def client() -> AsyncIterator[AttemptClient]:
    """A client that may speak to loopback."""
    client = AttemptClient(LOOPBACK)
    yield client
    await client.close()


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """A receiver on loopback."""
    async with WebhookReceiver() as receiver:
        yield receiver
