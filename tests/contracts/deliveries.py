"""What deliveries hold on either database: order, a breaker that lets go, what is put aside, and what is replayed."""

from datetime import timedelta

from bpm.clock import wire_time
from bpm.events.delivery_tables import find_with_subscription
from bpm.events.health import Health
from bpm.events.settlement import DeliverySettlement
from bpm.jobs import Lanes
from bpm.store import Transaction, utc_now
from bpm.testing import PreparedAnswer, WebhookReceiver, until
from tests.bpm.events.conftest import DeliveringApp
from tests.bpm.events.test_health import change_health


class DeliveriesContract:
    """Inherit it and offer the fixtures `delivering`, which delivers to loopback, and `receiver`."""

    async def test_a_hurried_delivery_keeps_its_place(
        self, delivering: DeliveringApp, receiver: WebhookReceiver
    ) -> None:
        """Events of one key arrive in order, also when the one in front failed and is tried again by hand."""
        await delivering.subscribe(receiver.url, orderingKey="type", ratePerSecond=500)
        receiver.answer(500)
        for number in range(4):
            await delivering.publish("task.created", {"n": number})
        first, *_ = await until(delivering.deliveries, lambda found: found[0]["attempts"] == 1)
        await delivering.cmd("RetryDeliveryCommand", id=first["id"])
        await receiver.wait_for(5)
        assert [r.json()["data"]["n"] for r in receiver.requests] == [0, 0, 1, 2, 3]

    async def test_a_receiver_that_is_back_gets_what_waited(
        self, delivering: DeliveringApp, receiver: WebhookReceiver
    ) -> None:
        """The others go as soon as the probe has arrived."""
        made = await delivering.subscribe(receiver.url)
        await change_health(delivering, made["id"], failure_count=5, openings=1, open_until=utc_now())
        receiver.answer(PreparedAnswer(200, delay=0.3))
        for number in range(20):
            await delivering.publish("task.created", {"n": number})
        await receiver.wait_for(20)

    async def test_what_is_put_off_as_its_receiver_is_found_well_goes(
        self, delivering: DeliveringApp, receiver: WebhookReceiver
    ) -> None:
        """Both in one group: the delivery is put off for minutes, and then the breaker closes."""
        made = await delivering.subscribe(receiver.url)
        app, later = delivering.server.app, utc_now() + timedelta(minutes=2)
        await change_health(delivering, made["id"], failure_count=5, openings=1, open_until=later)
        await delivering.publish("task.created")
        (waiting,) = await until(delivering.deliveries, lambda found: found[0]["nextAttemptAt"] > wire_time(later))
        health = Health(app.jobs)
        settlement = DeliverySettlement(app.bus, app.jobs, Lanes(app.jobs, utc_now), health)

        def put_off_and_close(tx: Transaction) -> None:
            row = find_with_subscription(tx, waiting["id"])
            assert row is not None
            settlement.await_receiver(tx, row)
            health.forgive(tx, made["id"], utc_now())

        await app.database.write(put_off_and_close)
        await receiver.wait_for(1)

    async def test_a_receiver_that_asks_for_time_gets_it(
        self, delivering: DeliveringApp, receiver: WebhookReceiver
    ) -> None:
        """A 429 holds its other events back, too; they arrive when the time is over."""
        made = await delivering.subscribe(receiver.url, maxInFlight=1)
        receiver.answer(PreparedAnswer(429, b"", {"Retry-After": "2"}))
        await delivering.publish("task.created", {"n": 0})
        await until(lambda: delivering.subscription(made["id"]), lambda shown: shown["breaker"] == "open")
        for number in range(1, 5):
            await delivering.publish("task.created", {"n": number})
        requests = await receiver.wait_for(6)
        assert min(request.at for request in requests[1:]) - requests[0].at >= 1.9
        assert (await until(lambda: delivering.subscription(made["id"]), lambda s: s["failureCount"] == 0))["breaker"]

    async def test_what_waits_is_put_aside(self, delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
        """A pause keeps what waits for another attempt, and it goes when the pause is over."""
        made = await delivering.subscribe(receiver.url)
        receiver.answer(500)
        await delivering.publish("task.created")
        await until(delivering.deliveries, lambda found: found[0]["attempts"] == 1)
        await delivering.cmd("DeactivateSubscriptionCommand", id=made["id"])
        await delivering.settled("paused")
        await delivering.cmd("ActivateSubscriptionCommand", id=made["id"])
        await delivering.settled("delivered")

    async def test_only_what_was_missed_is_replayed(self, delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
        """Neither a test event nor what arrived already."""
        first = await delivering.subscribe(receiver.url + "/first", "task.created")
        await delivering.cmd("SendTestEventCommand", id=first["id"], event="task.created")
        await delivering.publish("task.created", {"n": 1})
        await delivering.settled(count=2)
        late = await delivering.subscribe(receiver.url + "/late", "task.*")
        since = (utc_now() - timedelta(hours=1)).isoformat()
        asked = {"since": since, "subscriptionId": late["id"], "missing": True}
        assert (await delivering.cmd("RecoverFailedDeliveriesCommand", **asked))["found"] == 1
        assert (await delivering.cmd("RecoverFailedDeliveriesCommand", **asked))["found"] == 0
        await receiver.wait_for(3)
