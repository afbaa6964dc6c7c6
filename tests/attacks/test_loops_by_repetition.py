"""What has earlier work done again, itself included, ends as every chain does; long work of one's own goes on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.bus.envelope import MAX_DEPTH
from bpm.testing import RunningApp, ServerProcess, running_app, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

ENDED = "messages caused one another"
EVENTS = 3 * MAX_DEPTH
DELIVERY: Any = {"probe": "off"}
REPLAYS_ANOTHER = """
found = send('GetInboundRequestListQuery', {'configKey': 'each-other', 'state': 'done'})['items']
others = [each['requestId'] for each in found if each['requestId'] != request_id]
send('ReplayInboundRequestCommand', {'requestId': others[0], 'force': True})
return 1
"""
SENDS_ITS_DELIVERY_AGAIN: list[dict[str, Any]] = [
    {"name": "mine", "commandName": "GetDeliveryListQuery", "parameters": {"eventId": "{{headers.webhook-id}}"}},
    {"commandName": "RetryDeliveryCommand", "parameters": {"id": "{{steps.mine.items[0].id}}"}},
]


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ServerProcess]:
    """One server for all; each test has rules of its own."""
    async with ServerProcess(BPM_DELIVERY__ALLOWED_NETWORKS="127.0.0.0/8", BPM_DELIVERY__PROBE="off") as server:
        yield server


@pytest.fixture
async def app() -> AsyncIterator[RunningApp]:
    async with running_app(delivery=DELIVERY) as running:
        yield running


async def ends(server: ServerProcess, key: str, most: int) -> None:
    """Wait for the request of a rule that was refused as the end of a chain; `most` attempts may be made until then."""

    async def errors() -> list[str]:
        requests = await server.requests(configKey=key)
        assert sum(each["attempt"] for each in requests) <= most, "the loop goes on"
        return [error for each in requests for error in each["errors"] or ()]

    await until(errors, lambda found: any(ENDED in error for error in found))


async def test_a_request_that_sends_itself_again(server: ServerProcess) -> None:
    """Each new request stands one deeper than the one that had it sent, whatever its maker says."""
    headers = {"BPM-Cause": "0 made-up " + "0" * 32}
    parameters: dict[str, Any] = {"requestId": "{{request.id}}", "headers": headers}
    await server.rule("itself", commandName="ResendInboundRequestCommand", parameters=parameters)
    await server.hook("itself", {})
    await ends(server, "itself", MAX_DEPTH + 2)


async def test_requests_that_drive_each_other_again(server: ServerProcess) -> None:
    """A script replays another request of its rule, which replays another one."""
    rule = {"executionType": 2, "retry": {"attempts": 1}}
    made = await server.rule("each-other", **rule, executionCode="return 1")
    for _ in range(6):
        await server.hook("each-other", {})
    await server.settled()
    usual = {"path": "each-other", "description": "d", "isEnabled": True, "action": "POST"}
    await server.cmd("UpdateWebHookConfigCommand", id=made["id"], **usual, **rule, executionCode=REPLAYS_ANOTHER)
    (first, *_) = await server.requests(configKey="each-other")
    await server.cmd("ReplayInboundRequestCommand", requestId=first["requestId"], force=True)
    await ends(server, "each-other", MAX_DEPTH + 10)


async def test_a_delivery_that_has_itself_sent_again(server: ServerProcess) -> None:
    """The event stands as deep as the message that has it delivered again."""
    chain: dict[str, Any] = {"executionType": 1, "commandChain": SENDS_ITS_DELIVERY_AGAIN, "retry": {"attempts": 1}}
    await server.rule("delivered", **chain)
    url = f"{server.url}/api/webhooks/delivered"
    await server.cmd("RegisterEventTypeCommand", event="again.sent")
    await server.cmd("CreateSubscriptionCommand", name="again", url=url, events=["again.sent"])
    await server.cmd("PublishEventCommand", event="again.sent", data={})
    await ends(server, "delivered", MAX_DEPTH)


async def test_by_hand_everything_is_done_as_often_as_one_likes(app: RunningApp) -> None:
    """What somebody replays is no deeper than it was, and keeps the headers that it came with."""
    await app.rule("by-hand", commandName="PublishEventCommand", parameters={"event": "by.hand", "data": {}})
    await app.hook("by-hand", {})
    await app.settled()
    (sent,) = await app.requests()
    for _ in range(MAX_DEPTH + 2):
        await app.cmd("ReplayInboundRequestCommand", requestId=sent["requestId"], force=True)
        await app.settled()
    seen = await app.cmd("GetInboundRequestByIdQuery", requestId=sent["requestId"])
    assert (seen["state"], seen["replayCount"]) == ("done", MAX_DEPTH + 2)
    assert "bpm-cause" not in seen["headers"]


@pytest.mark.parametrize("is_kept", [True, False])
async def test_many_batches_of_deliveries_are_one_work(
    app: RunningApp, is_kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many batches there are, kept or missing: to go on is no step away from the cause."""
    monkeypatch.setattr("commands.deliveries.recovery.BATCH", 1)
    await app.cmd("RegisterEventTypeCommand", event="batch.made")
    id_ = await subscribed(app, "batch.made" if is_kept else "task.created")
    await app.cmd("DeactivateSubscriptionCommand", id=id_)
    await asyncio.gather(*(app.cmd("PublishEventCommand", event="batch.made", data={}) for _ in range(EVENTS)))
    await app.cmd("ActivateSubscriptionCommand", id=id_)
    if not is_kept:
        id_ = await subscribed(app, "batch.made")
        fields = {"since": "2020-01-01", "subscriptionId": id_, "missing": True}
        await app.cmd("RecoverFailedDeliveriesCommand", **fields)

    async def under_way() -> int:
        found = await app.cmd("GetDeliveryListQuery", subscriptionId=id_, pageSize=200)
        return sum(each["state"] != "paused" for each in found["items"])

    await until(under_way, lambda count: count == EVENTS, pause=0.1)


async def subscribed(app: RunningApp, event: str) -> int:
    made = await app.cmd("CreateSubscriptionCommand", url="https://hooks.example.com/", events=[event])
    return made["id"]
