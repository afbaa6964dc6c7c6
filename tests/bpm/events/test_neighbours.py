"""Receivers that misbehave, many of them at once, harm no other."""

import pytest

from bpm.testing import PreparedAnswer, WebhookReceiver, running_app
from tests.bpm.events.conftest import DELIVERING, DeliveringApp
from tests.bpm.events.serving import saying, serving

pytestmark = pytest.mark.anyio


async def test_many_hanging_destinations_leave_room_for_others(receiver: WebhookReceiver) -> None:
    """Though together they could take every worker, a receiver that answers gets its event at once."""
    async with (
        serving(saying(b"", linger=60)) as port,
        running_app(**DELIVERING, worker_concurrency=20, drain_seconds=0.2) as server,
    ):
        delivering = DeliveringApp(server)
        await delivering.subscribe(receiver.url, "order.created")
        await delivering.publish("order.created")
        await delivering.settled()
        for _ in range(8):
            await delivering.subscribe(f"http://127.0.0.1:{port}/", "task.created")
        for _ in range(10):
            await delivering.publish("task.created")
        await delivering.publish("order.created")
        await receiver.wait_for(2, seconds=20)  # the others hang for longer


async def test_a_hostile_wait_is_not_waited_for(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """A `Retry-After` of any number is settled as an attempt: the delivery is never sent again and again."""
    hostile = {"Retry-After": "Fri, 01 Jan 2100 00:00:00 +99999999999999999999"}
    receiver.answer(*[PreparedAnswer(429, b"", hostile)] * 9)
    await delivering.subscribe(receiver.url, retryCount=0)
    await delivering.publish()
    (dead,) = await delivering.settled("dead")
    assert (dead["attempts"], dead["lastStatus"]) == (1, 429)
    assert len(receiver.requests) == 1
