"""A receiver that only fails is left alone, asked whether it is back, and given up after five days."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import update

from bpm.events.health import Health
from bpm.events.subscription_tables import HEALTH
from bpm.store import utc_now
from bpm.testing import PreparedAnswer, WebhookReceiver, until
from tests.bpm.events.conftest import DeliveringApp

pytestmark = pytest.mark.anyio


async def test_the_breaker_opens_and_closes(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """After five failures in a row nothing is sent; a retry by hand tries, and its success closes the breaker."""
    made = await delivering.subscribe(receiver.url, maxInFlight=1)
    receiver.answer(*[503] * 5)
    for number in range(8):
        await delivering.publish("task.created", {"n": number})
    with structlog.testing.capture_logs() as lines:
        shown = await until(lambda: delivering.subscription(made["id"]), lambda s: s["breaker"] == "open")
    assert shown["failureCount"] == 5
    assert [line for line in lines if line["log_level"] == "warning" and line.get("subscription") == made["id"]]
    assert len(receiver.requests) == 5
    untried = [d for d in await delivering.deliveries() if d["attempts"] == 0]
    assert len(untried) == 3
    await delivering.cmd("RetryDeliveryCommand", id=untried[0]["id"])
    await receiver.wait_for(6)
    shown = await until(lambda: delivering.subscription(made["id"]), lambda s: s["failureCount"] == 0)
    assert (shown["breaker"], shown["openUntil"]) == ("closed", None)


@pytest.mark.parametrize("status", [429, 503])
async def test_who_asks_for_time_gets_it(delivering: DeliveringApp, receiver: WebhookReceiver, status: int) -> None:
    """After one such answer nothing of the subscription's is sent before the time is over; others go on."""
    asked = 2.0
    made = await delivering.subscribe(receiver.url, "order.created")
    receiver.answer(PreparedAnswer(status, b"", {"Retry-After": f"{asked:g}"}))
    await delivering.publish("order.created", {"n": 0})
    shown = await until(lambda: delivering.subscription(made["id"]), lambda s: s["breaker"] == "open")
    assert shown["failureCount"] == 1
    async with WebhookReceiver() as other:
        await delivering.subscribe(other.url, "task.created")
        for number in range(1, 4):
            await delivering.publish("order.created", {"n": number})
        await delivering.publish("task.created")
        await other.wait_for(1)
    first, *later = await receiver.wait_for(5, seconds=60)
    assert {one.json()["data"]["n"] for one in later} == {0, 1, 2, 3}
    assert all(one.at - first.at >= asked for one in later)


async def test_one_delivery_probes(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """When the pause is over one delivery asks whether the receiver is back; its failure makes the pause longer."""
    made = await delivering.subscribe(receiver.url)
    past = utc_now() - timedelta(seconds=1)
    await change_health(delivering, made["id"], failure_count=5, openings=1, open_until=past)
    receiver.answer(*[PreparedAnswer(500, delay=0.3)] * 5)
    for number in range(5):
        await delivering.publish("task.created", {"n": number})
    shown = await until(lambda: delivering.subscription(made["id"]), lambda s: s["failureCount"] == 6)
    assert len(receiver.requests) == 1
    open_until = datetime.fromisoformat(shown["openUntil"])
    assert timedelta(seconds=50) < open_until - utc_now() <= timedelta(seconds=60)


async def test_a_success_lets_the_others_go(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """What waited while one delivery probed goes as soon as that has arrived."""
    made = await delivering.subscribe(receiver.url)
    await change_health(delivering, made["id"], failure_count=5, openings=1, open_until=utc_now())
    receiver.answer(PreparedAnswer(200, delay=0.3))
    for number in range(30):
        await delivering.publish("task.created", {"n": number})
    await receiver.wait_for(30)


async def test_a_breaker_that_has_closed_holds_nothing_back(
    delivering: DeliveringApp, receiver: WebhookReceiver
) -> None:
    """A delivery that found it open is looked at at once, when it closed before the delivery was put off."""
    made = await delivering.subscribe(receiver.url)
    app = delivering.server.app
    health, now = Health(app.jobs), utc_now()
    until = now + timedelta(minutes=2)
    await change_health(delivering, made["id"], failure_count=5, openings=1, open_until=until)
    again = await app.database.write(lambda tx: health.look_again(tx, made["id"], now))
    assert until <= again <= until + timedelta(seconds=1)
    await app.database.write(lambda tx: health.forgive(tx, made["id"], now))
    assert await app.database.write(lambda tx: health.look_again(tx, made["id"], now)) == now


async def test_what_comes_to_no_request_opens_no_breaker(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """A transform that fails on some events says nothing about the receiver, and holds up no other event."""
    made = await delivering.subscribe(receiver.url, transform={"template": {"n": "{{data.n}}"}}, retryCount=0)
    for _ in range(6):
        await delivering.publish("task.created")
    await delivering.settled("dead", count=6)
    shown = await delivering.subscription(made["id"])
    assert (shown["failureCount"], shown["breaker"]) == (6, "closed")
    await delivering.publish("task.created", {"n": 1})
    (request,) = await receiver.wait_for(1)
    assert request.json() == {"n": 1}


async def test_a_probe_that_succeeds_closes_the_breaker(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """The receiver is back, and its failures are forgotten."""
    made = await delivering.subscribe(receiver.url)
    await change_health(delivering, made["id"], failure_count=5, openings=1, open_until=utc_now())
    await delivering.publish("task.created")
    shown = await until(lambda: delivering.subscription(made["id"]), lambda s: s["breaker"] == "closed")
    assert shown["failureCount"] == 0


async def test_a_receiver_that_fails_for_long_is_told_once(
    delivering: DeliveringApp, receiver: WebhookReceiver
) -> None:
    """Long before it is switched off, those who want to know hear of it."""
    async with WebhookReceiver() as watcher:
        await delivering.subscribe(watcher.url, "subscription.failing")
        made = await delivering.subscribe(receiver.url, "task.*", name="Billing")
        since = utc_now() - timedelta(minutes=10)
        told_at = {"failure_count": 9, "failing_since": since, "openings": 4, "open_until": utc_now()}
        await change_health(delivering, made["id"], **told_at)
        receiver.answer(500)
        await delivering.publish("task.created")
        (told,) = await watcher.wait_for(1)
        assert told.json()["data"] == {
            "subscriptionId": made["id"],
            "name": "Billing",
            "url": receiver.url,
            "reason": f"nothing but failures since {since:%Y-%m-%d %H:%M} UTC",
        }
        await change_health(delivering, made["id"], open_until=utc_now())
        receiver.answer(500)
        await delivering.publish("task.updated")
        await receiver.wait_for(2)
        await until(lambda: delivering.subscription(made["id"]), lambda shown: shown["failureCount"] >= 11)
        assert (await delivering.cmd("GetEventListQuery", event="subscription.failing"))["totalCount"] == 1


async def test_five_days_of_failures_disable(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """A subscription with nothing but failures for five days is switched off, and its events are kept."""
    made = await delivering.subscribe(receiver.url)
    await change_health(delivering, made["id"], failing_since=utc_now() - timedelta(days=5, minutes=1))
    receiver.answer(500)
    await delivering.publish("task.created")
    shown = await until(lambda: delivering.subscription(made["id"]), lambda s: not s["isActive"])
    assert shown["disabledReason"].startswith("nothing but failures since")
    await delivering.publish("task.updated")
    (kept,) = await delivering.deliveries(event="task.updated")
    assert kept["state"] == "paused"


async def change_health(delivering: DeliveringApp, subscription_id: int, **values: Any) -> None:
    """Set what is known of a receiver."""
    statement = update(HEALTH).where(HEALTH.c.subscription_id == subscription_id).values(**values)
    await delivering.server.app.database.write(lambda tx: tx.connection.execute(statement).rowcount)
