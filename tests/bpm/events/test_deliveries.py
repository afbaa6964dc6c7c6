"""From a published event to a receiver, and what becomes of it there."""

import asyncio
import base64
from dataclasses import replace

import pytest
from nacl.signing import VerifyKey
from standardwebhooks import Webhook

from bpm.testing import PreparedAnswer, WebhookReceiver, until
from tests.bpm.events.conftest import DeliveringApp
from tests.scripts.crowd import all_places_held

pytestmark = pytest.mark.anyio


async def test_an_event_arrives_signed(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """A subscriber gets type, timestamp and data, with a signature that the standard's own library accepts."""
    made = await delivering.subscribe(receiver.url + "/hook?x=1", "task.*", headers={"Authorization": "Bearer t"})
    event = await delivering.publish("task.created", {"id": 1, "text": "ü"})
    (request,) = await receiver.wait_for(1)
    assert (request.method, request.path, request.query) == ("POST", "/hook", "x=1")
    assert request.headers["authorization"] == "Bearer t"
    assert request.headers["webhook-id"] == event["id"]
    payload = Webhook(made["secret"]).verify(request.body, dict(request.headers))
    assert payload == {"type": "task.created", "timestamp": event["createdAt"], "data": {"id": 1, "text": "ü"}}
    await delivering.settled()
    found = await delivering.delivery()
    assert (found["state"], found["attempts"], found["lastStatus"], found["data"]) == (
        "delivered",
        1,
        200,
        event["data"],
    )
    (attempt,) = found["history"]
    assert (attempt["attempt"], attempt["ok"], attempt["status"]) == (1, True, 200)
    assert attempt["requestBody"].encode() == request.body


async def test_a_key_pair_is_published(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """Whoever is sent something finds the public key without credentials, and nobody finds anything else."""
    made = await delivering.subscribe(receiver.url, signature={"scheme": "standard-webhooks-v1a"})
    shared = await delivering.subscribe(receiver.url, "contact.*")
    event = await delivering.publish()
    (request,) = await receiver.wait_for(1)
    address = "/.well-known/webhook-keys/"
    answer = await delivering.server.http.get(f"{address}{made['id']}", headers={"Authorization": ""})
    assert answer.headers["cache-control"] == "public, max-age=300"
    (key,) = answer.json()["keys"]
    assert key == made["publicKeys"][0]["jwk"]
    content = f"{event['id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    signature = base64.b64decode(request.headers["webhook-signature"].removeprefix("v1a,"))
    assert VerifyKey(base64.urlsafe_b64decode(key["x"] + "=")).verify(content, signature) == content
    for unknown in (shared["id"], 999_999, 0, "9" * 18, "9" * 5_000, "x", "-1", "1/2"):
        assert (await delivering.server.http.get(f"{address}{unknown}")).status_code == 404
    await delivering.cmd("DeleteSubscriptionCommand", id=made["id"])
    assert (await delivering.server.http.get(f"{address}{made['id']}")).status_code == 404


async def test_an_echoed_credential_is_not_kept(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """A receiver that sends back what it was sent does not show the subscription's headers to readers of the log."""
    echo = PreparedAnswer(200, b'{"authorization": "Bearer canary-4711"}', {"X-Echo": "canary-4711 t"})
    receiver.answer(echo)
    await delivering.subscribe(receiver.url, headers={"Authorization": "Bearer canary-4711", "X-Short": "t"})
    await delivering.publish()
    await delivering.settled()
    (attempt,) = (await delivering.delivery())["history"]
    assert attempt["responseBody"] == '{"authorization": "***"}'
    assert attempt["responseHeaders"]["x-echo"] == "*** t"


async def test_only_those_who_asked_are_sent(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """A name, a beginning of names and a filter decide who is sent an event."""
    for path, event, condition in (
        ("name", "task.created", None),
        ("all", "*", None),
        ("beginning", "task.*", None),
        ("large", "task.created", "data.total > 100"),
        ("small", "task.created", "data.total <= 100"),
        ("other", "project.created", None),
    ):
        await delivering.subscribe(f"{receiver.url}/{path}", event, filter=condition)
    await delivering.publish("task.created", {"total": 500})
    await delivering.settled(count=4)
    assert sorted(r.path for r in receiver.requests) == ["/all", "/beginning", "/large", "/name"]
    assert len(await delivering.deliveries()) == 4


async def test_a_failure_is_tried_again(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """After an error the delivery waits five seconds, more or less, and its log shows the answer."""
    receiver.answer(PreparedAnswer(500, b"no\0way", {"X-Why": "because", "Set-Cookie": "a=b"}))
    made = await delivering.subscribe(receiver.url)
    await delivering.publish()
    found = await until(lambda: delivering.delivery(), lambda d: d["attempts"] == 1)
    assert (found["state"], found["lastStatus"]) == ("pending", 500)
    (attempt,) = found["history"]
    assert (attempt["responseBody"], attempt["responseHeaders"]["x-why"]) == ("no\ufffdway", "because")
    assert "set-cookie" not in attempt["responseHeaders"]
    assert (await delivering.subscription(made["id"]))["failureCount"] == 1
    await delivering.cmd("RetryDeliveryCommand", id=found["id"])
    await delivering.settled()
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert (await delivering.delivery())["attempts"] == 2
    assert (await delivering.subscription(made["id"]))["failureCount"] == 0


async def test_a_pause_loses_nothing(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """What happens while a subscription is inactive is delivered when it is active again, in order."""
    made = await delivering.subscribe(receiver.url, orderingKey="type")
    await delivering.cmd("DeactivateSubscriptionCommand", id=made["id"])
    for number in range(5):
        await delivering.publish("task.created", {"n": number})
    assert {d["state"] for d in await delivering.deliveries()} == {"paused"}
    assert receiver.requests == []
    await delivering.cmd("ActivateSubscriptionCommand", id=made["id"])
    await delivering.publish("task.created", {"n": 5})
    await receiver.wait_for(6)
    assert [r.json()["data"]["n"] for r in receiver.requests] == [0, 1, 2, 3, 4, 5]
    assert await delivering.settled(count=6)


async def test_gone_is_gone(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """410 ends the delivery and disables the subscription, which an event tells and the view shows."""
    async with WebhookReceiver() as watcher:
        await delivering.subscribe(watcher.url, "subscription.disabled")
        made = await delivering.subscribe(receiver.url, "task.*", name="Gone")
        receiver.answer(410)
        await delivering.publish("task.created")
        (told,) = await watcher.wait_for(1)
    assert told.json()["data"] == {
        "subscriptionId": made["id"],
        "name": "Gone",
        "url": receiver.url,
        "reason": "the receiver answered 410 Gone",
    }
    shown = await delivering.subscription(made["id"])
    assert (shown["isActive"], shown["disabledReason"]) == (False, "the receiver answered 410 Gone")
    (dead,) = await delivering.deliveries(event="task.created")
    assert (dead["state"], dead["attempts"]) == ("dead", 1)


async def test_a_secret_is_exchanged_without_a_gap(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """During the overlap deliveries verify with both secrets; without one, with the new alone."""
    made = await delivering.subscribe(receiver.url)
    rotated = await delivering.cmd("RotateSubscriptionSecretCommand", id=made["id"])
    assert rotated["secret"] != made["secret"]
    await delivering.publish()
    (request,) = await receiver.wait_for(1)
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(request.body, dict(request.headers))
    last = await delivering.cmd("RotateSubscriptionSecretCommand", id=made["id"], overlapHours=0)
    assert last["previousExpiresAt"] is None
    await delivering.publish()
    (_, request) = await receiver.wait_for(2)
    assert len(request.headers["webhook-signature"].split()) == 1
    Webhook(last["secret"]).verify(request.body, dict(request.headers))


async def test_a_template_and_a_script_change_the_body(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """What a transform makes is sent, signed and kept in the log; one that fails is a failed attempt."""
    script = "return {'n': payload['data']['n'] * 2, 'kind': payload['type']}"
    await delivering.subscribe(receiver.url + "/t", transform={"template": {"text": "Task {{data.n}}"}})
    await delivering.subscribe(receiver.url + "/s", transform={"script": script})
    await delivering.subscribe(receiver.url + "/f", transform={"template": {"text": "{{data.missing}}"}}, retryCount=0)
    await delivering.publish("task.created", {"n": 21})
    await receiver.wait_for(2)
    bodies = {r.path: r.json() for r in receiver.requests}
    assert bodies == {"/t": {"text": "Task 21"}, "/s": {"n": 42, "kind": "task.created"}}
    (dead,) = await delivering.settled("dead")
    assert dead["lastError"].startswith("transform.template: text:")
    sent = [
        await delivering.cmd("GetDeliveryByIdQuery", id=d["id"]) for d in await delivering.settled("delivered", count=2)
    ]
    assert {d["history"][0]["requestBody"] for d in sent} == {'{"text":"Task 21"}', '{"n":42,"kind":"task.created"}'}


async def test_a_transform_whose_turn_has_not_come_is_put_off(
    delivering: DeliveringApp, receiver: WebhookReceiver
) -> None:
    """Scripts of others are computing: the delivery waits, and no attempt of it has failed."""
    sandbox = delivering.server.app.sandbox
    await delivering.subscribe(receiver.url, transform={"script": "return {'n': 1}"}, retryCount=0)
    sandbox.limits = replace(sandbox.limits, wait_seconds=0.2)
    async with all_places_held(sandbox):
        before = sandbox.ends["busy"]
        await delivering.publish()
        await until(lambda: asyncio.sleep(0, sandbox.ends["busy"]), lambda times: times > before)
    await receiver.wait_for(1)
    await delivering.settled()
    assert (await delivering.delivery())["attempts"] == 1


async def test_a_test_event_goes_to_one(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """A test event reaches one subscription, whatever it wants, and is marked as one."""
    made = await delivering.subscribe(receiver.url + "/one", "task.created", filter="data.total > 100")
    await delivering.subscribe(receiver.url + "/other", "*")
    sent = await delivering.cmd("SendTestEventCommand", id=made["id"])
    (request,) = await receiver.wait_for(1)
    assert (request.path, request.json()["type"]) == ("/one", "subscription.test")
    example = await delivering.cmd("SendTestEventCommand", id=made["id"], event="task.created")
    (_, request) = await receiver.wait_for(2)
    assert request.json()["data"]["title"] == "Call back"
    found = await delivering.cmd("GetDeliveryByIdQuery", id=sent["deliveryId"])
    assert (found["isTest"], example["event"]) == (True, "task.created")


async def test_a_deleted_subscription_is_sent_nothing_more(
    delivering: DeliveringApp, receiver: WebhookReceiver
) -> None:
    """What waited for it is cancelled, and its log stays."""
    made = await delivering.subscribe(receiver.url)
    await delivering.cmd("DeactivateSubscriptionCommand", id=made["id"])
    await delivering.publish()
    await delivering.cmd("DeleteSubscriptionCommand", id=made["id"])
    await delivering.publish()
    (found,) = await delivering.deliveries()
    assert found["state"] == "cancelled"
    assert receiver.requests == []


@pytest.mark.parametrize(("command", "state"), [("Delete", "cancelled"), ("Deactivate", "paused")])
async def test_what_waits_for_another_attempt_is_put_aside_at_once(
    delivering: DeliveringApp, receiver: WebhookReceiver, command: str, state: str
) -> None:
    """It is cancelled with its subscription, or kept, and does not look as if it were still to be sent."""
    made = await delivering.subscribe(receiver.url)
    receiver.answer(500)
    await delivering.publish()
    await until(delivering.deliveries, lambda found: found[0]["attempts"] == 1)
    await delivering.cmd(f"{command}SubscriptionCommand", id=made["id"])
    await delivering.settled(state)
    assert len(receiver.requests) == 1


async def test_a_filter_that_fails_shows(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """A filter that is no condition for an event does not let it vanish: a dead delivery says why."""
    await delivering.subscribe(receiver.url, filter="data.n")
    await delivering.publish("task.created", {"n": 1})
    (dead,) = await delivering.settled("dead")
    assert dead["lastError"].startswith("filter: a condition must be true or false")
