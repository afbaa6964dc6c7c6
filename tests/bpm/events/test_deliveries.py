"""From a published event to a receiver, and what becomes of it there."""

import pytest
from standardwebhooks import Webhook

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
