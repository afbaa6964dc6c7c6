"""Keys with the scopes that the products' documents name."""

from typing import Any

import pytest

from bpm.client import BusClient
from bpm.testing import RunningApp, running_app
from tests.contracts.tenants import PASSWORD

pytestmark = pytest.mark.anyio

DONUTWORK, PLANDOCKET, MOKAPEN = "/2026-02-01/webhooks.json", "/api/v1/webhooks", "/api/webhooks"
NEW: dict[str, Any] = {"url": "https://example.com/x", "events": ["invoice.paid"]}


async def key_of(app: RunningApp, *scopes: str, **fields: Any) -> str:
    name = f"{'-'.join(scopes)}{len(fields)}"
    return (await app.cmd("CreateApiKeyCommand", name=name, scopes=list(scopes), **fields))["key"]


async def status(app: RunningApp, key: str, path: str, method: str = "GET", body: Any = None) -> int:
    return (await app.request(method, path, body, {"authorization": f"Bearer {key}"})).status


async def test_every_interface_knows_its_own_scopes() -> None:
    """A key with the scopes of one product reads and writes through its interface, and writes no rules."""
    async with running_app(delivery={"probe": "off"}) as app:
        donutwork = await key_of(app, "webhooks:read", "webhooks:write")
        plandocket = await key_of(app, "webhooks")
        mokapen = await key_of(app, "webhooks.read", "webhooks.write")
        for key, path in (
            (donutwork, DONUTWORK),
            (donutwork, PLANDOCKET),
            (plandocket, PLANDOCKET),
            (mokapen, MOKAPEN),
        ):
            assert await status(app, key, path) == 200, path
        assert await status(app, plandocket, PLANDOCKET, "POST", NEW) == 201
        assert await status(app, mokapen, MOKAPEN, "POST", {**NEW, "events": ["task.created"], "org_id": 1}) == 201
        reading = await key_of(app, "webhooks:read")
        assert await status(app, reading, DONUTWORK) == 200
        assert await status(app, reading, PLANDOCKET, "POST", NEW) == 403
        for key in (plandocket, mokapen):
            app.token = key
            assert (await app.send("GetWebHookConfigListQuery", {})).status == 403
        app.token = donutwork
        assert (await app.send("GetSubscriptionListQuery", {})).status == 403


async def test_a_scope_gives_no_more_than_its_owner_has() -> None:
    """An operator's key with Donutwork's scopes makes no subscription, because its owner may not."""
    async with running_app(delivery={"probe": "off"}) as app:
        made = await app.cmd("CreateUserCommand", username="op", password=PASSWORD, roles=["operator"])
        key = await key_of(app, "webhooks:read", "webhooks:write", userId=made["id"])
        assert await status(app, key, PLANDOCKET) == 200
        assert await status(app, key, PLANDOCKET, "POST", NEW) == 403
        reply = await app.send("CreateApiKeyCommand", {"name": "n", "scopes": ["webhooks"], "userId": made["id"]})
        assert (reply.status, reply.errors) == (422, ["scopes: 'op' does not hold subscriptions:write"])


async def test_nobody_hands_on_a_scope_that_is_more_than_their_own() -> None:
    """Whoever may not make subscriptions makes no key for an administrator that does so under another name."""
    async with running_app(delivery={"probe": "off"}) as app:
        few = ["users:read", "users:write", "webhooks:read", "webhooks:write"]
        await app.cmd("CreateUserCommand", username="few", password=PASSWORD, permissions=few)
        admin = (await app.cmd("GetUserListQuery", searchText="admin"))["items"][0]["id"]
        somebody: BusClient = app
        await somebody.sign_in("few", PASSWORD)
        reply = await somebody.send("CreateApiKeyCommand", {"name": "n", "scopes": ["webhooks:write"], "userId": admin})
        assert reply.status == 403
