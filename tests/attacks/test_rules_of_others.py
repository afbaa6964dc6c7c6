"""A rule does not lend its people's rights to whoever switches it on, nor to a key beyond the key's end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bpm.client import BusClient
from bpm.testing import RunningApp, running_app
from tests.contracts.tenants import PASSWORD

pytestmark = pytest.mark.anyio

RULE: dict[str, Any] = {
    "key": "ghosts",
    "path": "ghosts",
    "description": "d",
    "isEnabled": True,
    "action": "POST",
    "executionType": 0,
    "commandName": "CreateUserCommand",
    "parameters": {"username": "ghost", "password": PASSWORD, "roles": ["admin"]},
    "retry": {"attempts": 1},
}
TOMORROW = timedelta(days=1)


@pytest.fixture
async def app() -> AsyncIterator[RunningApp]:
    async with running_app() as running:
        yield running


@pytest.fixture
async def operator(app: RunningApp) -> AsyncIterator[BusClient]:
    """Somebody who may write rules, but no accounts."""
    await app.cmd("CreateUserCommand", username="operator", password=PASSWORD, roles=["operator"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.app), base_url="http://bpm.test") as http:
        client = BusClient(http)
        await client.sign_in("operator", PASSWORD)
        yield client


async def executed(app: RunningApp) -> dict[str, Any]:
    """Send the rule a request, and return what became of it."""
    sent = await app.hook("ghosts", {})
    assert sent.ok, sent.body
    async with asyncio.timeout(30):
        while True:
            request = await app.cmd("GetInboundRequestByIdQuery", requestId=sent.data["requestId"])
            if request["state"] in ("done", "failed", "dead"):
                return request
            await asyncio.sleep(0.02)


async def names(app: RunningApp) -> set[str]:
    return {user["username"] for user in (await app.cmd("GetUserListQuery"))["items"]}


async def test_an_operator_switches_on_what_an_administrator_left_off(app: RunningApp, operator: BusClient) -> None:
    """Whoever switches a rule on is asked as well, until its author saves it anew."""
    made = await app.cmd("CreateWebHookConfigCommand", **{**RULE, "isEnabled": False})
    await operator.cmd("ActivateWebHookConfigCommand", id=made["id"])
    assert "'operator' does not have" in str((await executed(app))["errors"])
    assert "ghost" not in await names(app)
    await app.cmd("UpdateWebHookConfigCommand", id=made["id"], **{k: v for k, v in RULE.items() if k != "key"})
    assert (await executed(app))["state"] == "done"
    assert "ghost" in await names(app)


async def test_an_administrator_switches_on(app: RunningApp) -> None:
    """Nothing is in the way of whoever may do what the rule does."""
    made = await app.cmd("CreateWebHookConfigCommand", **{**RULE, "isEnabled": False})
    await app.cmd("ActivateWebHookConfigCommand", id=made["id"])
    assert (await executed(app))["state"] == "done"


async def test_a_key_that_expires_plants_a_rule_that_runs_as_another(app: RunningApp) -> None:
    """Such a rule would create accounts, today and after the key's end, which the key itself may not."""
    await app.cmd("CreateUserCommand", username="robot", kind="service", roles=["admin"])
    end = (datetime.now(UTC) + TOMORROW).isoformat()
    made = await app.cmd("CreateApiKeyCommand", name="short", scopes=["*:read", "*:write"], expiresAt=end)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.app), base_url="http://bpm.test") as http:
        key = BusClient(http, made["key"])
        reply = await key.send("CreateWebHookConfigCommand", {**RULE, "runAs": "robot"})
        assert (reply.status, "which would outlive it" in str(reply.body)) == (403, True), reply.body
        await key.cmd("CreateWebHookConfigCommand", **RULE)
        assert (await executed(app))["state"] != "done"
    assert "ghost" not in await names(app)
