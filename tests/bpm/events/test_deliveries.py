"""From a published event to a receiver, and what becomes of it there."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from standardwebhooks import Webhook

from bpm.events.subscription_tables import HEALTH
from bpm.store import utc_now
from bpm.testing import PreparedAnswer, WebhookReceiver
from tests.bpm.events.conftest import Office, eventually

pytestmark = pytest.mark.anyio


async def test_an_event_arrives_signed(office: Office, receiver: WebhookReceiver) -> None:
    """A subscriber gets type, timestamp and data, with a signature that the standard's own library accepts."""
    made = await office.subscribe(receiver.url + "/hook?x=1", "task.*", headers={"Authorization": "Bearer t"})
    event = await office.publish("task.created", {"id": 1, "text": "ü"})
    (request,) = await receiver.wait_for(1)
    assert (request.method, request.path, request.query) == ("POST", "/hook", "x=1")
    assert request.headers["authorization"] == "Bearer t"
    assert request.headers["webhook-id"] == event["id"]
    payload = Webhook(made["secret"]).verify(request.body, dict(request.headers))
    assert payload == {"type": "task.created", "timestamp": event["createdAt"], "data": {"id": 1, "text": "ü"}}
    await office.settled()
    found = await office.delivery()
    assert (found["state"], found["attempts"], found["lastStatus"], found["data"]) == (
        "delivered",
        1,
        200,
        event["data"],
    )
    (attempt,) = found["history"]
    assert (attempt["attempt"], attempt["ok"], attempt["status"]) == (1, True, 200)
    assert attempt["requestBody"].encode() == request.body


async def test_only_those_who_asked_are_sent(office: Office, receiver: WebhookReceiver) -> None:
    """A name, a beginning of names and a filter decide who is sent an event."""
    for path, event, condition in (
        ("name", "task.created", None),
        ("all", "*", None),
        ("beginning", "task.*", None),
        ("large", "task.created", "data.total > 100"),
        ("small", "task.created", "data.total <= 100"),
        ("other", "project.created", None),
    ):
        await office.subscribe(f"{receiver.url}/{path}", event, filter=condition)
    await office.publish("task.created", {"total": 500})
    await office.settled(count=4)
    assert sorted(r.path for r in receiver.requests) == ["/all", "/beginning", "/large", "/name"]
    assert len(await office.deliveries()) == 4


async def test_a_failure_is_tried_again(office: Office, receiver: WebhookReceiver) -> None:
    """After an error the delivery waits five seconds, more or less, and its log shows the answer."""
    receiver.answer(PreparedAnswer(500, b"no\0way", {"X-Why": "because", "Set-Cookie": "a=b"}))
    made = await office.subscribe(receiver.url)
    await office.publish()
    found = await eventually(lambda: office.delivery(), lambda d: d["attempts"] == 1)
    assert (found["state"], found["lastStatus"]) == ("pending", 500)
    (attempt,) = found["history"]
    assert (attempt["responseBody"], attempt["responseHeaders"]["x-why"]) == ("no\ufffdway", "because")
    assert "set-cookie" not in attempt["responseHeaders"]
    assert (await office.subscription(made["id"]))["failureCount"] == 1
    await office.cmd("RetryDeliveryCommand", id=found["id"])
    await office.settled()
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert (await office.delivery())["attempts"] == 2
    assert (await office.subscription(made["id"]))["failureCount"] == 0


async def test_an_ordered_key_arrives_in_order(office: Office, receiver: WebhookReceiver) -> None:
    """Events of one key arrive one behind the other, also while the first fails; other keys do not wait for it."""
    await office.subscribe(receiver.url, "task.*", retryCount=1)
    receiver.answer(PreparedAnswer(500, delay=0.05))
    await office.publish("task.created", {"n": 0}, orderingKey="a")
    await receiver.wait_for(1)
    for number in range(1, 6):
        await office.publish("task.updated", {"n": number}, orderingKey="a")
    await office.publish("task.updated", {"n": 99}, orderingKey="b")
    await receiver.wait_for(2)
    assert [r.json()["data"]["n"] for r in receiver.requests] == [0, 99]
    (first,) = [d for d in await office.deliveries(event="task.created") if d["state"] == "pending"]
    await office.cmd("RetryDeliveryCommand", id=first["id"])
    await receiver.wait_for(8)
    arrived = [r.json()["data"]["n"] for r in receiver.requests if r.json()["data"]["n"] != 99]
    assert sorted(arrived[1:]) == [0, 1, 2, 3, 4, 5]
    assert arrived[2:-1] == sorted(arrived[2:-1])


async def test_order_by_the_subscribers_own_choice(office: Office, receiver: WebhookReceiver) -> None:
    """A subscription may name what keeps its events in order; each waits for the answer to the one before."""
    await office.subscribe(receiver.url, "task.*", orderingKey="data.customer")
    receiver.answer(*[PreparedAnswer(200, delay=0.02)] * 20)
    for number in range(20):
        await office.publish("task.updated", {"customer": "c1", "n": number})
    await receiver.wait_for(20)
    assert [r.json()["data"]["n"] for r in receiver.requests] == list(range(20))


async def test_a_pause_loses_nothing(office: Office, receiver: WebhookReceiver) -> None:
    """What happens while a subscription is inactive is delivered when it is active again, in order."""
    made = await office.subscribe(receiver.url, orderingKey="type")
    await office.cmd("DeactivateSubscriptionCommand", id=made["id"])
    for number in range(5):
        await office.publish("task.created", {"n": number})
    assert {d["state"] for d in await office.deliveries()} == {"paused"}
    assert receiver.requests == []
    await office.cmd("ActivateSubscriptionCommand", id=made["id"])
    await office.publish("task.created", {"n": 5})
    await receiver.wait_for(6)
    assert [r.json()["data"]["n"] for r in receiver.requests] == [0, 1, 2, 3, 4, 5]
    assert await office.settled(count=6)


async def test_gone_is_gone(office: Office, receiver: WebhookReceiver) -> None:
    """410 ends the delivery and disables the subscription, which an event tells and the view shows."""
    async with WebhookReceiver() as watcher:
        await office.subscribe(watcher.url, "subscription.disabled")
        made = await office.subscribe(receiver.url, "task.*", name="Gone")
        receiver.answer(410)
        await office.publish("task.created")
        (told,) = await watcher.wait_for(1)
    assert told.json()["data"] == {
        "subscriptionId": made["id"],
        "name": "Gone",
        "url": receiver.url,
        "reason": "the receiver answered 410 Gone",
    }
    shown = await office.subscription(made["id"])
    assert (shown["isActive"], shown["disabledReason"]) == (False, "the receiver answered 410 Gone")
    (dead,) = await office.deliveries(event="task.created")
    assert (dead["state"], dead["attempts"]) == ("dead", 1)


async def test_the_breaker_opens_and_closes(office: Office, receiver: WebhookReceiver) -> None:
    """After five failures in a row nothing is sent; a retry by hand tries, and its success closes the breaker."""
    made = await office.subscribe(receiver.url, maxInFlight=1)
    receiver.answer(*[503] * 5)
    for number in range(8):
        await office.publish("task.created", {"n": number})
    shown = await eventually(lambda: office.subscription(made["id"]), lambda s: s["breaker"] == "open")
    assert shown["failureCount"] == 5
    assert len(receiver.requests) == 5
    untried = [d for d in await office.deliveries() if d["attempts"] == 0]
    assert len(untried) == 3
    await office.cmd("RetryDeliveryCommand", id=untried[0]["id"])
    await receiver.wait_for(6)
    shown = await eventually(lambda: office.subscription(made["id"]), lambda s: s["failureCount"] == 0)
    assert (shown["breaker"], shown["openUntil"]) == ("closed", None)


async def test_a_secret_is_exchanged_without_a_gap(office: Office, receiver: WebhookReceiver) -> None:
    """During the overlap deliveries verify with both secrets; without one, with the new alone."""
    made = await office.subscribe(receiver.url)
    rotated = await office.cmd("RotateSubscriptionSecretCommand", id=made["id"])
    assert rotated["secret"] != made["secret"]
    await office.publish()
    (request,) = await receiver.wait_for(1)
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(request.body, dict(request.headers))
    last = await office.cmd("RotateSubscriptionSecretCommand", id=made["id"], overlapHours=0)
    assert last["previousExpiresAt"] is None
    await office.publish()
    (_, request) = await receiver.wait_for(2)
    assert len(request.headers["webhook-signature"].split()) == 1
    Webhook(last["secret"]).verify(request.body, dict(request.headers))


async def test_a_template_and_a_script_change_the_body(office: Office, receiver: WebhookReceiver) -> None:
    """What a transform makes is sent, signed and kept in the log; one that fails is a failed attempt."""
    script = "return {'n': payload['data']['n'] * 2, 'kind': payload['type']}"
    await office.subscribe(receiver.url + "/t", transform={"template": {"text": "Task {{data.n}}"}})
    await office.subscribe(receiver.url + "/s", transform={"script": script})
    await office.subscribe(receiver.url + "/f", transform={"template": {"text": "{{data.missing}}"}}, retryCount=0)
    await office.publish("task.created", {"n": 21})
    await receiver.wait_for(2)
    bodies = {r.path: r.json() for r in receiver.requests}
    assert bodies == {"/t": {"text": "Task 21"}, "/s": {"n": 42, "kind": "task.created"}}
    (dead,) = await office.settled("dead")
    assert dead["lastError"].startswith("transform.template: text:")
    sent = [await office.cmd("GetDeliveryByIdQuery", id=d["id"]) for d in await office.settled("delivered", count=2)]
    assert {d["history"][0]["requestBody"] for d in sent} == {'{"text":"Task 21"}', '{"n":42,"kind":"task.created"}'}


async def test_a_test_event_goes_to_one(office: Office, receiver: WebhookReceiver) -> None:
    """A test event reaches one subscription, whatever it wants, and is marked as one."""
    made = await office.subscribe(receiver.url + "/one", "task.created", filter="data.total > 100")
    await office.subscribe(receiver.url + "/other", "*")
    sent = await office.cmd("SendTestEventCommand", id=made["id"])
    (request,) = await receiver.wait_for(1)
    assert (request.path, request.json()["type"]) == ("/one", "subscription.test")
    example = await office.cmd("SendTestEventCommand", id=made["id"], event="task.created")
    (_, request) = await receiver.wait_for(2)
    assert request.json()["data"]["title"] == "Call back"
    found = await office.cmd("GetDeliveryByIdQuery", id=sent["deliveryId"])
    assert (found["isTest"], example["event"]) == (True, "task.created")


async def test_a_rate_is_kept(office: Office, receiver: WebhookReceiver) -> None:
    """`ratePerSecond` spreads deliveries over time."""
    await office.subscribe(receiver.url, ratePerSecond=10)
    await office.publish("task.created")
    await receiver.wait_for(1)
    for _ in range(10):
        await office.publish("task.created")
    requests = await receiver.wait_for(11)
    assert requests[-1].at - requests[1].at >= 0.5


async def test_the_dead_are_raised(office: Office, receiver: WebhookReceiver) -> None:
    """What died since a time is counted first, then sent again, with the same id."""
    made = await office.subscribe(receiver.url, retryCount=0)
    receiver.answer(500, 500, 500)
    since = (await office.publish("task.created", {"n": 0}))["createdAt"]
    for number in (1, 2):
        await office.publish("task.created", {"n": number})
    await office.settled("dead", count=3)
    asked = {"since": since, "subscriptionId": made["id"]}
    preview = await office.cmd("RecoverFailedDeliveriesCommand", preview=True, **asked)
    assert preview == {"preview": True, "found": 3, "goesOn": False}
    assert (await office.cmd("RecoverFailedDeliveriesCommand", **asked))["found"] == 3
    await office.settled(count=3)
    assert len({r.headers["webhook-id"] for r in receiver.requests}) == 3
    assert len(receiver.requests) == 6


async def test_what_was_missed_is_replayed(office: Office, receiver: WebhookReceiver) -> None:
    """A subscription that came late gets the events from before that it wants, once."""
    first = await office.publish("task.created", {"n": 1})
    await office.publish("project.created", {"n": 2})
    await office.publish("task.updated", {"n": 3})
    made = await office.subscribe(receiver.url, "task.*", filter="data.n < 3")
    asked = {"since": first["createdAt"], "subscriptionId": made["id"], "missing": True}
    assert (await office.cmd("RecoverFailedDeliveriesCommand", preview=True, **asked))["found"] == 1
    assert (await office.cmd("RecoverFailedDeliveriesCommand", **asked))["found"] == 1
    (request,) = await receiver.wait_for(1)
    assert request.json()["data"] == {"n": 1}
    assert (await office.cmd("RecoverFailedDeliveriesCommand", **asked))["found"] == 0


async def test_a_cancelled_delivery_lets_the_next_go(office: Office, receiver: WebhookReceiver) -> None:
    """Cancelling what waits in front of a lane frees the way, and it can be retried later."""
    await office.subscribe(receiver.url, orderingKey="type")
    receiver.answer(500)
    for number in range(2):
        await office.publish("task.created", {"n": number})
    first, _ = await eventually(office.deliveries, lambda found: found[0]["attempts"] == 1)
    cancelled = await office.cmd("CancelDeliveryCommand", id=first["id"])
    assert cancelled["state"] == "cancelled"
    await receiver.wait_for(2)
    await office.settled(count=1)
    await office.cmd("RetryDeliveryCommand", id=first["id"])
    await receiver.wait_for(3)
    assert [r.json()["data"]["n"] for r in receiver.requests] == [0, 1, 0]


async def test_a_deleted_subscription_is_sent_nothing_more(office: Office, receiver: WebhookReceiver) -> None:
    """What waited for it is cancelled, and its log stays."""
    made = await office.subscribe(receiver.url)
    await office.cmd("DeactivateSubscriptionCommand", id=made["id"])
    await office.publish()
    await office.cmd("DeleteSubscriptionCommand", id=made["id"])
    await office.publish()
    (found,) = await office.deliveries()
    assert found["state"] == "cancelled"
    assert receiver.requests == []


async def test_a_filter_that_fails_shows(office: Office, receiver: WebhookReceiver) -> None:
    """A filter that is no condition for an event does not let it vanish: a dead delivery says why."""
    await office.subscribe(receiver.url, filter="data.n")
    await office.publish("task.created", {"n": 1})
    (dead,) = await office.settled("dead")
    assert dead["lastError"].startswith("filter: a condition must be true or false")


async def test_one_delivery_probes(office: Office, receiver: WebhookReceiver) -> None:
    """When the pause is over one delivery asks whether the receiver is back; its failure makes the pause longer."""
    made = await office.subscribe(receiver.url)
    past = utc_now() - timedelta(seconds=1)
    await change_health(office, made["id"], failure_count=5, openings=1, open_until=past)
    receiver.answer(*[PreparedAnswer(500, delay=0.3)] * 5)
    for number in range(5):
        await office.publish("task.created", {"n": number})
    shown = await eventually(lambda: office.subscription(made["id"]), lambda s: s["failureCount"] == 6)
    assert len(receiver.requests) == 1
    until = datetime.fromisoformat(shown["openUntil"])
    assert timedelta(seconds=50) < until - utc_now() <= timedelta(seconds=60)


async def test_a_probe_that_succeeds_closes_the_breaker(office: Office, receiver: WebhookReceiver) -> None:
    """The receiver is back, and its failures are forgotten."""
    made = await office.subscribe(receiver.url)
    await change_health(office, made["id"], failure_count=5, openings=1, open_until=utc_now())
    await office.publish("task.created")
    shown = await eventually(lambda: office.subscription(made["id"]), lambda s: s["breaker"] == "closed")
    assert shown["failureCount"] == 0


async def test_five_days_of_failures_disable(office: Office, receiver: WebhookReceiver) -> None:
    """A subscription with nothing but failures for five days is switched off, and its events are kept."""
    made = await office.subscribe(receiver.url)
    await change_health(office, made["id"], failing_since=utc_now() - timedelta(days=5, minutes=1))
    receiver.answer(500)
    await office.publish("task.created")
    shown = await eventually(lambda: office.subscription(made["id"]), lambda s: not s["isActive"])
    assert shown["disabledReason"].startswith("nothing but failures since")
    await office.publish("task.updated")
    (kept,) = await office.deliveries(event="task.updated")
    assert kept["state"] == "paused"


async def change_health(office: Office, subscription_id: int, **values: Any) -> None:
    """Set what is known of a receiver."""
    statement = update(HEALTH).where(HEALTH.c.subscription_id == subscription_id).values(**values)
    await office.server.app.database.write(lambda tx: tx.connection.execute(statement).rowcount)
