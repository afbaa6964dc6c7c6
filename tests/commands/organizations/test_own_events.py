"""What the product says itself nobody else says in its place."""

import httpx
import pytest

from bpm.testing import RunningApp, WebhookReceiver
from tests.commands.organizations.asking import HOOK, acting, count, refused, user
from tests.contracts.tenants import Tenant

pytestmark = pytest.mark.anyio


async def test_the_products_own_events_are_its_own(app: RunningApp, http: httpx.AsyncClient, acme: Tenant) -> None:
    """Nobody publishes under their names but by a permission of its own, which an administrator gives."""
    publisher = await user(acme.client, http, "publisher", roles=["publisher"])
    for who in (publisher, acme.client, app):
        for name in ("mono.account_connected", "remita.payment_confirmed", "process.completed", "Audit.failed"):
            assert "events:reserved" in await refused(who, 403, "PublishEventCommand", event=name)
    assert "events:reserved" in (await acting(app, acme.id, "PublishEventCommand", event="subscription.test")).errors[0]
    await acme.client.cmd("CreateWebHookConfigCommand", **{**HOOK, **CHOSEN, "key": "any", "path": "any"})
    assert (await app.hook("any", {"name": "remita.payment_confirmed"})).status == 403
    (kept,) = (await acme.client.cmd("GetInboundRequestListQuery", configKey="any"))["items"]
    whole = await acme.client.cmd("GetInboundRequestByIdQuery", requestId=kept["requestId"])
    assert "events:reserved" in whole["errors"][0]  # the caller, a stranger, is not told
    granted = {"permissions": ["events:write", "events:reserved"]}
    herald = await user(acme.client, http, "herald", **granted)
    assert (await herald.cmd("PublishEventCommand", event="mono.account_connected"))["organizationId"] == acme.id
    assert await count(acme.client, "GetEventListQuery", event="mono.*") == 1


CHOSEN = {"responseMode": "sync", "parameters": {"event": "{{payload.name}}"}}


async def test_a_test_event_of_the_product_shows_its_own_example(
    app: RunningApp, acme: Tenant, receiver: WebhookReceiver
) -> None:
    """An example registered for one of the product's names is never delivered in its place."""
    await acme.client.cmd("RegisterEventTypeCommand", event="remita.payment_confirmed", example={"forged": True})
    made = await acme.client.cmd("CreateSubscriptionCommand", url=receiver.url, events=["remita.*"])
    await acme.client.cmd("SendTestEventCommand", id=made["id"], event="remita.payment_confirmed")
    (request,) = await receiver.wait_for(1)
    assert "forged" not in request.json()["data"]
