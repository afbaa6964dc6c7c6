"""What died, or was never sent, goes again when somebody asks for it."""

import pytest

from bpm.testing import WebhookReceiver
from tests.bpm.events.conftest import DeliveringApp

pytestmark = pytest.mark.anyio


async def test_the_dead_are_raised(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """What died since a time is counted first, then sent again, with the same id."""
    made = await delivering.subscribe(receiver.url, retryCount=0)
    receiver.answer(500, 500, 500)
    since = (await delivering.publish("task.created", {"n": 0}))["createdAt"]
    for number in (1, 2):
        await delivering.publish("task.created", {"n": number})
    await delivering.settled("dead", count=3)
    asked = {"since": since, "subscriptionId": made["id"]}
    preview = await delivering.cmd("RecoverFailedDeliveriesCommand", preview=True, **asked)
    assert preview == {"preview": True, "found": 3, "goesOn": False}
    assert (await delivering.cmd("RecoverFailedDeliveriesCommand", **asked))["found"] == 3
    await delivering.settled(count=3)
    assert len({r.headers["webhook-id"] for r in receiver.requests}) == 3
    assert len(receiver.requests) == 6


async def test_what_was_missed_is_replayed(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """A subscription that came late gets the events from before that it wants, once."""
    first = await delivering.publish("task.created", {"n": 1})
    await delivering.publish("project.created", {"n": 2})
    await delivering.publish("task.updated", {"n": 3})
    made = await delivering.subscribe(receiver.url, "task.*", filter="data.n < 3")
    asked = {"since": first["createdAt"], "subscriptionId": made["id"], "missing": True}
    assert (await delivering.cmd("RecoverFailedDeliveriesCommand", preview=True, **asked))["found"] == 1
    assert (await delivering.cmd("RecoverFailedDeliveriesCommand", **asked))["found"] == 1
    (request,) = await receiver.wait_for(1)
    assert request.json()["data"] == {"n": 1}
    assert (await delivering.cmd("RecoverFailedDeliveriesCommand", **asked))["found"] == 0


async def test_a_test_event_is_nobody_elses(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """What was sent to try one subscription is not among what another one missed."""
    first = await delivering.subscribe(receiver.url + "/first", "task.created")
    await delivering.cmd("SendTestEventCommand", id=first["id"], event="task.created")
    real = await delivering.publish("task.created", {"n": 1})
    await delivering.settled(count=2)
    late = await delivering.subscribe(receiver.url + "/late", "task.*")
    asked = {"since": "2020-01-01", "subscriptionId": late["id"], "missing": True}
    assert (await delivering.cmd("RecoverFailedDeliveriesCommand", **asked))["found"] == 1
    requests = await receiver.wait_for(3)
    assert [r.headers["webhook-id"] for r in requests if r.path == "/late"] == [real["id"]]


async def test_a_mended_filter_judges_anew(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """What died by its filter goes again only if the filter, as it is now, wants it."""
    made = await delivering.subscribe(receiver.url, filter="data.n")
    for number in (1, 9):
        await delivering.publish("task.created", {"n": number})
    await delivering.settled("dead", count=2)
    await delivering.cmd("UpdateSubscriptionCommand", id=made["id"], filter="data.n > 5")
    await delivering.cmd("RecoverFailedDeliveriesCommand", since="2020-01-01")
    (request,) = await receiver.wait_for(1)
    assert request.json()["data"] == {"n": 9}
    (cancelled,) = await delivering.settled("cancelled")
    assert cancelled["lastError"] == "filter: does not want the event"
