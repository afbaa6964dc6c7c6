"""What died, or was never sent, goes again when somebody asks for it."""

import pytest

from bpm.testing import WebhookReceiver
from tests.bpm.events.conftest import Office

pytestmark = pytest.mark.anyio


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


async def test_a_test_event_is_nobody_elses(office: Office, receiver: WebhookReceiver) -> None:
    """What was sent to try one subscription is not among what another one missed."""
    first = await office.subscribe(receiver.url + "/first", "task.created")
    await office.cmd("SendTestEventCommand", id=first["id"], event="task.created")
    real = await office.publish("task.created", {"n": 1})
    await office.settled(count=2)
    late = await office.subscribe(receiver.url + "/late", "task.*")
    asked = {"since": "2020-01-01", "subscriptionId": late["id"], "missing": True}
    assert (await office.cmd("RecoverFailedDeliveriesCommand", **asked))["found"] == 1
    requests = await receiver.wait_for(3)
    assert [r.headers["webhook-id"] for r in requests if r.path == "/late"] == [real["id"]]


async def test_a_mended_filter_judges_anew(office: Office, receiver: WebhookReceiver) -> None:
    """What died by its filter goes again only if the filter, as it is now, wants it."""
    made = await office.subscribe(receiver.url, filter="data.n")
    for number in (1, 9):
        await office.publish("task.created", {"n": number})
    await office.settled("dead", count=2)
    await office.cmd("UpdateSubscriptionCommand", id=made["id"], filter="data.n > 5")
    await office.cmd("RecoverFailedDeliveriesCommand", since="2020-01-01")
    (request,) = await receiver.wait_for(1)
    assert request.json()["data"] == {"n": 9}
    (cancelled,) = await office.settled("cancelled")
    assert cancelled["lastError"] == "filter: does not want the event"
