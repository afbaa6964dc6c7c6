"""Events of one key arrive one behind the other, and no faster than a subscription allows."""

import pytest

from bpm.number import Number
from bpm.testing import PreparedAnswer, WebhookReceiver, until
from tests.bpm.events.conftest import DeliveringApp

pytestmark = pytest.mark.anyio


async def test_an_ordered_key_arrives_in_order(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """Events of one key arrive one behind the other, also while the first fails and when it is hurried by hand.

    Other keys do not wait for it.
    """
    await delivering.subscribe(receiver.url, "task.*", retryCount=1)
    receiver.answer(PreparedAnswer(500, delay=0.05))
    await delivering.publish("task.created", {"n": 0}, orderingKey="a")
    await receiver.wait_for(1)
    for number in range(1, 6):
        await delivering.publish("task.updated", {"n": number}, orderingKey="a")
    await delivering.publish("task.updated", {"n": 99}, orderingKey="b")
    await receiver.wait_for(2)
    assert [r.json()["data"]["n"] for r in receiver.requests] == [0, 99]
    (first,) = await until(lambda: delivering.deliveries(event="task.created"), lambda found: found[0]["attempts"] == 1)
    await delivering.cmd("RetryDeliveryCommand", id=first["id"])
    await receiver.wait_for(8)
    arrived = [r.json()["data"]["n"] for r in receiver.requests if r.json()["data"]["n"] != 99]
    assert arrived == [0, 0, 1, 2, 3, 4, 5]


async def test_order_by_the_subscribers_own_choice(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """A subscription may name what keeps its events in order; each waits for the answer to the one before."""
    await delivering.subscribe(receiver.url, "task.*", orderingKey="data.customer")
    receiver.answer(*[PreparedAnswer(200, delay=0.02)] * 20)
    for number in range(20):
        await delivering.publish("task.updated", {"customer": "c1", "n": number})
    await receiver.wait_for(20)
    assert [r.json()["data"]["n"] for r in receiver.requests] == list(range(20))


@pytest.mark.parametrize(
    "customers",
    [
        [7, Number("7.0"), Number("7.00"), Number("0.7e1")],
        [{"id": 7, "shop": "a"}, {"shop": "a", "id": 7}, {"id": Number("7.0"), "shop": "a"}, {"shop": "a", "id": 7}],
        ["c" * 1_000, "c" * 1_000, "c" * 1_000, "c" * 1_000],
    ],
    ids=["numbers", "objects", "long texts"],
)
async def test_equal_values_keep_one_order(
    delivering: DeliveringApp, receiver: WebhookReceiver, customers: list[object]
) -> None:
    """However they are written: 7, 7.0 and 7.00 are one customer, and so are objects of the same fields."""
    await delivering.subscribe(receiver.url, "task.*", orderingKey="data.customer")
    receiver.answer(500)
    for number, customer in enumerate(customers):
        await delivering.publish("task.updated", {"customer": customer, "n": number})
    found = await until(delivering.deliveries, lambda found: any(each["attempts"] for each in found))
    (failed,) = [each for each in found if each["attempts"]]
    await delivering.cmd("RetryDeliveryCommand", id=failed["id"])
    await receiver.wait_for(5)
    assert [r.json()["data"]["n"] for r in receiver.requests] == [0, 0, 1, 2, 3]


@pytest.mark.parametrize("ordering_key", [None, "data.n"])
async def test_a_rate_is_kept(delivering: DeliveringApp, receiver: WebhookReceiver, ordering_key: str | None) -> None:
    """`ratePerSecond` spreads deliveries over time, those of different keys too."""
    await delivering.subscribe(receiver.url, ratePerSecond=10, orderingKey=ordering_key)
    await delivering.publish("task.created")
    await receiver.wait_for(1)
    for number in range(10):
        await delivering.publish("task.created", {"n": number})
    requests = await receiver.wait_for(11)
    assert requests[-1].at - requests[1].at >= 0.5


async def test_a_cancelled_delivery_lets_the_next_go(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """Cancelling what waits in front of a lane frees the way, and it can be retried later."""
    await delivering.subscribe(receiver.url, orderingKey="type")
    receiver.answer(500)
    for number in range(2):
        await delivering.publish("task.created", {"n": number})
    first, _ = await until(delivering.deliveries, lambda found: found[0]["attempts"] == 1)
    cancelled = await delivering.cmd("CancelDeliveryCommand", id=first["id"])
    assert cancelled["state"] == "cancelled"
    await receiver.wait_for(2)
    await delivering.settled(count=1)
    await delivering.cmd("RetryDeliveryCommand", id=first["id"])
    await receiver.wait_for(3)
    assert [r.json()["data"]["n"] for r in receiver.requests] == [0, 1, 0]
