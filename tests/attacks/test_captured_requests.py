"""Whoever may write rules, drive requests again or write scripts, and no more, does not read what was sent."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bpm.client import BusClient, Reply
from bpm.testing import RunningApp, running_app
from tests.contracts.tenants import PASSWORD

pytestmark = pytest.mark.anyio

CANARY = "NG-ACCOUNT-0123456789"
RULE: dict[str, Any] = {
    "path": "paid",
    "description": "d",
    "isEnabled": True,
    "action": "POST",
    "executionType": 0,
    "commandName": "PublishEventCommand",
    "parameters": {"event": "order.paid", "data": {"body": "{{payload}}"}},
}
PERMISSIONS = ["webhooks:read", "webhooks:write", "inbound:write", "code:write"]
NEEDED = re.compile("needs the permission (inbound|code):read")


@pytest.fixture
async def app() -> AsyncIterator[RunningApp]:
    """A server that has captured one request."""
    async with running_app() as running:
        await running.cmd("CreateWebHookConfigCommand", key="paid", **RULE)
        await running.hook("paid", {"account": CANARY})
        yield running


@pytest.fixture
async def writer(app: RunningApp) -> AsyncIterator[BusClient]:
    """Somebody who may write rules and scripts and drive requests again, and may read rules alone."""
    who = {"username": "writer", "password": PASSWORD}
    await app.cmd("CreateUserCommand", **who, permissions=PERMISSIONS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.app), base_url="http://bpm.test") as http:
        client = BusClient(http)
        await client.sign_in("writer", PASSWORD)
        yield client


async def refused(who: BusClient, name: str, **fields: Any) -> Reply:
    """Send what must be refused for want of a permission to read, and tell nothing."""
    reply = await who.send(name, fields)
    assert reply.status == 403, reply.body
    assert NEEDED.search(str(reply.body))
    assert CANARY not in str(reply.body)
    return reply


@pytest.mark.parametrize("tried", ["id", "config"])
async def test_a_dry_run_with_a_captured_request(app: RunningApp, writer: BusClient, tried: str) -> None:
    """A rule that is tried with a captured request would show its body as the fields of a message."""
    (request,) = (await app.cmd("GetInboundRequestListQuery"))["items"]
    fields = {"id": request["configId"]} if tried == "id" else {"config": {**RULE, "path": "mine"}}
    await refused(writer, "TestWebHookConfigCommand", **fields, requestId=request["requestId"])
    view = await app.cmd("TestWebHookConfigCommand", **fields, requestId=request["requestId"])
    assert CANARY in str(view["outcome"])


async def test_a_dry_run_with_a_request_that_is_made_up(writer: BusClient) -> None:
    """What the tester wrote may be shown to the tester."""
    view = await writer.cmd("TestWebHookConfigCommand", config=RULE, request={"body": {"a": 1}})
    assert view["verdict"]["passed"]


@pytest.mark.parametrize("count", [10, 1_001])
async def test_a_back_test(app: RunningApp, writer: BusClient, count: int) -> None:
    """A back-test names requests, and its drafts would tell whether a guess at a body is right."""
    guess: dict[str, Any] = {
        **RULE,
        "parameters": {"event": "{{if payload.account = 'x' then 'a.b' else '!'}}", "data": {}},
    }
    await refused(writer, "BackTestWebHookConfigCommand", config=guess, count=count)
    view = await app.cmd("BackTestWebHookConfigCommand", config=RULE, count=count)
    if view["backTestId"] is not None:
        await refused(writer, "GetBackTestQuery", backTestId=view["backTestId"])


async def test_a_search_for_requests_to_drive_again(app: RunningApp, writer: BusClient) -> None:
    """How many requests hold a guess would tell a body letter by letter; a sample would show the requests."""
    await app.settled()
    many: dict[str, Any] = {"state": "done", "force": True, "preview": True}
    await refused(writer, "ReplayInboundRequestsCommand", **many, searchText=CANARY[:4])
    found = await writer.cmd("ReplayInboundRequestsCommand", **many)
    assert (found["matched"], found["sample"]) == (1, [])
    assert (await app.cmd("ReplayInboundRequestsCommand", **many, searchText=CANARY[:4]))["matched"] == 1
    assert len((await app.cmd("ReplayInboundRequestsCommand", **many))["sample"]) == 1


async def test_a_run_replayed_by_another_script(app: RunningApp, writer: BusClient) -> None:
    """A script that returns its payload shows what the run of somebody else was given."""
    shows = {"code": "return payload"}
    await app.rule("script", executionType=2, executionCode="return 1")
    await app.hook("script", {"account": CANARY})
    await app.settled()
    (run,) = (await app.cmd("GetCodeRunListQuery"))["items"]
    await refused(writer, "ReplayCodeCommand", runId=run["runId"], **shows)
    assert CANARY in str(await app.cmd("ReplayCodeCommand", runId=run["runId"], **shows))
