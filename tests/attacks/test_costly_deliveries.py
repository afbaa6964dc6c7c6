"""What a subscription makes of events, and what is sent again, is bounded in size and in steps."""

from collections.abc import AsyncIterator

import pytest

from bpm.events import recovery_tables
from bpm.testing import WebhookReceiver, running_app
from tests.bpm.events.conftest import DeliveringApp

pytestmark = pytest.mark.anyio

COSTLY = "count(data.n[item > 0]) + count(data.n[item > 1]) + count(data.n[item > 2]) > 1000000"


@pytest.fixture
async def delivering() -> AsyncIterator[DeliveringApp]:
    """A server that delivers to loopback, events of at most 20,000 bytes."""
    async with running_app(delivery={"allowed_networks": "127.0.0.0/8", "max_event_bytes": 20_000}) as server:
        yield DeliveringApp(server)


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """A receiver on loopback."""
    async with WebhookReceiver() as receiver:
        yield receiver


async def test_a_template_does_not_multiply_an_event(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """What would be sent is bounded as events are."""
    await delivering.subscribe(receiver.url, retryCount=0, transform={"template": ["{{data}}"] * 8})
    await delivering.publish("task.created", {"x": "y" * 5_000})
    (dead,) = await delivering.settled("dead")
    assert "at most 20000 are possible" in dead["lastError"]
    assert not receiver.requests


async def test_a_filter_without_steps_lets_nothing_through(
    delivering: DeliveringApp, receiver: WebhookReceiver
) -> None:
    """A batch ends before its filters run out of steps; the rest follows in messages of their own."""
    numbers = list(range(4_000))
    for _ in range(40):
        await delivering.publish("task.created", {"n": numbers})
    made = await delivering.subscribe(receiver.url, "task.*", filter=COSTLY)
    asked = {"since": "2020-01-01", "subscriptionId": made["id"], "missing": True}
    preview = await delivering.cmd("RecoverFailedDeliveriesCommand", preview=True, **asked)
    assert preview == {"preview": True, "found": 0, "goesOn": True}
    assert await delivering.cmd("RecoverFailedDeliveriesCommand", **asked) == {**preview, "preview": False}
    assert await delivering.deliveries() == []


async def test_large_events_are_sent_again_in_small_batches(
    delivering: DeliveringApp, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch holds so many bytes of events in memory, and the next one goes on behind it."""
    monkeypatch.setattr(recovery_tables, "BATCH_BYTES", 30_000)
    for number in range(9):
        await delivering.publish("task.created", {"n": number, "x": "y" * 9_000})
    made = await delivering.subscribe(receiver.url)
    asked = {"since": "2020-01-01", "subscriptionId": made["id"], "missing": True}
    assert await delivering.cmd("RecoverFailedDeliveriesCommand", **asked) == {
        "preview": False,
        "found": 4,
        "goesOn": True,
    }
    await delivering.settled(count=9)
    assert len(receiver.requests) == 9
