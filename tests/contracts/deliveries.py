"""What deliveries hold on either database: order, a breaker that lets go, what is put aside, and what is replayed."""

from datetime import timedelta

from bpm.clock import wire_time
from bpm.events.delivery_tables import find_with_subscription
from bpm.events.health import Health
from bpm.events.settlement import DeliverySettlement
from bpm.jobs import Lanes
from bpm.store import Transaction, utc_now
from bpm.testing import PreparedAnswer, WebhookReceiver, until
from tests.bpm.events.conftest import Office
from tests.bpm.events.test_health import change_health


class DeliveriesContract:
    """Inherit it and offer the fixtures `office`, which delivers to loopback, and `receiver`."""

    async def test_a_hurried_delivery_keeps_its_place(self, office: Office, receiver: WebhookReceiver) -> None:
        """Events of one key arrive in order, also when the one in front failed and is tried again by hand."""
        await office.subscribe(receiver.url, orderingKey="type", ratePerSecond=500)
        receiver.answer(500)
        for number in range(4):
            await office.publish("task.created", {"n": number})
        first, *_ = await until(office.deliveries, lambda found: found[0]["attempts"] == 1)
        await office.cmd("RetryDeliveryCommand", id=first["id"])
        await receiver.wait_for(5)
        assert [r.json()["data"]["n"] for r in receiver.requests] == [0, 0, 1, 2, 3]

    async def test_a_receiver_that_is_back_gets_what_waited(self, office: Office, receiver: WebhookReceiver) -> None:
        """The others go as soon as the probe has arrived."""
        made = await office.subscribe(receiver.url)
        await change_health(office, made["id"], failure_count=5, openings=1, open_until=utc_now())
        receiver.answer(PreparedAnswer(200, delay=0.3))
        for number in range(20):
            await office.publish("task.created", {"n": number})
        await receiver.wait_for(20)

    async def test_what_is_put_off_as_its_receiver_is_found_well_goes(
        self, office: Office, receiver: WebhookReceiver
    ) -> None:
        """Both in one group: the delivery is put off for minutes, and then the breaker closes."""
        made = await office.subscribe(receiver.url)
        app, later = office.server.app, utc_now() + timedelta(minutes=2)
        await change_health(office, made["id"], failure_count=5, openings=1, open_until=later)
        await office.publish("task.created")
        (waiting,) = await until(office.deliveries, lambda found: found[0]["nextAttemptAt"] > wire_time(later))
        health = Health(app.jobs)
        settlement = DeliverySettlement(app.bus, app.jobs, Lanes(app.jobs, utc_now), health)

        def put_off_and_close(tx: Transaction) -> None:
            row = find_with_subscription(tx, waiting["id"])
            assert row is not None
            settlement.await_receiver(tx, row)
            health.forgive(tx, made["id"], utc_now())

        await app.database.write(put_off_and_close)
        await receiver.wait_for(1)

    async def test_a_receiver_that_asks_for_time_gets_it(self, office: Office, receiver: WebhookReceiver) -> None:
        """A 429 holds its other events back, too; they arrive when the time is over."""
        made = await office.subscribe(receiver.url, maxInFlight=1)
        receiver.answer(PreparedAnswer(429, b"", {"Retry-After": "2"}))
        await office.publish("task.created", {"n": 0})
        await until(lambda: office.subscription(made["id"]), lambda shown: shown["breaker"] == "open")
        for number in range(1, 5):
            await office.publish("task.created", {"n": number})
        requests = await receiver.wait_for(6)
        assert min(request.at for request in requests[1:]) - requests[0].at >= 1.9
        assert (await until(lambda: office.subscription(made["id"]), lambda s: s["failureCount"] == 0))["breaker"]

    async def test_what_waits_is_put_aside(self, office: Office, receiver: WebhookReceiver) -> None:
        """A pause keeps what waits for another attempt, and it goes when the pause is over."""
        made = await office.subscribe(receiver.url)
        receiver.answer(500)
        await office.publish("task.created")
        await until(office.deliveries, lambda found: found[0]["attempts"] == 1)
        await office.cmd("DeactivateSubscriptionCommand", id=made["id"])
        await office.settled("paused")
        await office.cmd("ActivateSubscriptionCommand", id=made["id"])
        await office.settled("delivered")

    async def test_only_what_was_missed_is_replayed(self, office: Office, receiver: WebhookReceiver) -> None:
        """Neither a test event nor what arrived already."""
        first = await office.subscribe(receiver.url + "/first", "task.created")
        await office.cmd("SendTestEventCommand", id=first["id"], event="task.created")
        await office.publish("task.created", {"n": 1})
        await office.settled(count=2)
        late = await office.subscribe(receiver.url + "/late", "task.*")
        since = (utc_now() - timedelta(hours=1)).isoformat()
        asked = {"since": since, "subscriptionId": late["id"], "missing": True}
        assert (await office.cmd("RecoverFailedDeliveriesCommand", **asked))["found"] == 1
        assert (await office.cmd("RecoverFailedDeliveriesCommand", **asked))["found"] == 0
        await receiver.wait_for(3)
