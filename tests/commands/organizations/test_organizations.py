"""Organisations are made, limited and acted for by the installation."""

import asyncio

import httpx
import pytest

from bpm.client import BusClient
from bpm.testing import RunningApp
from tests.commands.organizations.asking import HOOK, acting, count, refused, user
from tests.contracts.tenants import Tenant

pytestmark = pytest.mark.anyio


async def test_an_organisation_is_made_shown_and_changed(app: RunningApp) -> None:
    """It has what was given; what is left out stays, null takes a limit away."""
    made = await app.cmd("CreateOrganizationCommand", name="Acme", description="d", maxUsers=5)
    assert made == {
        "id": made["id"],
        "name": "Acme",
        "description": "d",
        "isActive": True,
        "features": {"webhooks": True, "ruleReview": False},
        "maxSubscriptions": None,
        "maxUsers": 5,
        "maxWebhooks": None,
        "createdAt": made["createdAt"],
        "updatedAt": None,
        "deactivatedAt": None,
    }
    number = made["id"]
    changed = await app.cmd("UpdateOrganizationCommand", id=number, features={"webhooks": False}, maxSubscriptions=9)
    assert (changed["name"], changed["maxUsers"], changed["maxSubscriptions"]) == ("Acme", 5, 9)
    assert changed["features"] == {"webhooks": False, "ruleReview": False}
    changed = await app.cmd("UpdateOrganizationCommand", id=number, name="Acme Ltd", maxUsers=None)
    assert (changed["maxUsers"], changed["features"]) == (None, {"webhooks": False, "ruleReview": False})
    assert await app.cmd("GetOrganizationByIdQuery", id=number) == changed
    listed = await app.cmd("GetOrganizationListQuery", sortBy="id", sortDirection="asc", isActive=True)
    assert [(item["id"], item["name"]) for item in listed["items"]] == [(1, "Installation"), (number, "Acme Ltd")]
    assert (await app.cmd("GetOrganizationListQuery", isActive=False))["totalCount"] == 0
    assert (await app.cmd("GetOrganizationListQuery", searchText="ltd"))["totalCount"] == 1


async def test_what_can_not_be_is_refused(app: RunningApp) -> None:
    """A name is somebody's alone whatever its capitals, and what does not exist can't be changed."""
    await app.cmd("CreateOrganizationCommand", name="Acme")
    assert "already exists" in await refused(app, 409, "CreateOrganizationCommand", name="ACME")
    assert "already exists" in await refused(app, 409, "UpdateOrganizationCommand", id=1, name="acme")
    assert "name: " in await refused(app, 422, "CreateOrganizationCommand", name=" x")
    assert "maxUsers" in await refused(app, 422, "CreateOrganizationCommand", name="x", maxUsers=0)
    assert "nothing is given" in await refused(app, 422, "UpdateOrganizationCommand", id=1)
    for name in ("Update", "Activate", "Deactivate"):
        assert await refused(app, 404, f"{name}OrganizationCommand", id=99, **({"name": "y"} if name[0] == "U" else {}))
    assert "installation's own" in await refused(app, 409, "DeactivateOrganizationCommand", id=1)
    assert "already active" in await refused(app, 409, "ActivateOrganizationCommand", id=1)


async def test_what_concerns_the_installation_is_its_own(app: RunningApp, acme: Tenant) -> None:
    """An organisation's administrator may neither see nor do it, whatever permissions it has; nor who acts for it."""
    key = await acme.client.cmd("CreateApiKeyCommand", name="k", scopes=["*:read", "*:write"])
    by_key = BusClient(acme.client.http, key["key"])
    for name, fields in (
        ("CreateOrganizationCommand", {"name": "x"}),
        ("UpdateOrganizationCommand", {"id": acme.id, "maxUsers": 1}),
        ("ActivateOrganizationCommand", {"id": acme.id}),
        ("DeactivateOrganizationCommand", {"id": 1}),
        ("GetOrganizationListQuery", {}),
        ("GetOrganizationByIdQuery", {"id": acme.id}),
        ("GetSystemStatusQuery", {}),
        ("PruneStoredDataCommand", {"preview": True}),
    ):
        for who in (acme.client, by_key):
            assert "needs the permission" in await refused(who, 403, name, **fields)
        assert (await acting(app, acme.id, name, **fields)).status == 403
    own = await acme.client.cmd("GetOwnOrganizationQuery")
    assert own == {
        "id": acme.id,
        "name": "Acme",
        "features": {"webhooks": True, "ruleReview": False},
        "maxSubscriptions": 3,
        "maxUsers": None,
        "maxWebhooks": None,
    }


async def test_limits_hold_for_one_organisation(app: RunningApp, acme: Tenant, borg: Tenant) -> None:
    """What it may have is its own limit, or else the installation's; a disabled account makes room."""
    limits = {"maxSubscriptions": 1, "maxUsers": 2, "maxWebhooks": 1}
    await app.cmd("UpdateOrganizationCommand", id=acme.id, **limits)
    for number, name, fields in (
        (1, "CreateSubscriptionCommand", {"url": "https://example.com/", "events": ["*"]}),
        (1, "CreateWebHookConfigCommand", {**HOOK, "key": "a", "path": "a"}),
    ):
        await acme.client.cmd(name, **fields)
        other = fields if "url" in fields else {**fields, "key": "b", "path": "b"}
        assert f"the organisation may have {number} " in await refused(acme.client, 422, name, **other)
        await borg.client.cmd(name, **other)
    made = await acme.client.cmd("CreateUserCommand", username="second", kind="service")
    assert "may have 2 users" in await refused(acme.client, 422, "CreateUserCommand", username="third")
    assert "may have 2 users" in await refused(app, 422, "CreateUserCommand", username="x", organizationId=acme.id)
    await acme.client.cmd("DisableUserCommand", id=made["id"])
    await acme.client.cmd("CreateUserCommand", username="third")
    assert "may have 2 users" in await refused(acme.client, 422, "UpdateUserCommand", id=made["id"], isEnabled=True)
    tries = [
        borg.client.send("CreateSubscriptionCommand", {"url": f"https://example.com/{n}", "events": ["*"]})
        for n in range(6)
    ]
    assert sorted(reply.status for reply in await asyncio.gather(*tries)) == [200, 200, 422, 422, 422, 422]


async def test_the_installation_acts_for_others_explicitly(
    app: RunningApp, http: httpx.AsyncClient, acme: Tenant
) -> None:
    """By a header, on every address, if it holds `acting:write`; without it, everything is its own."""
    fields = {"url": "https://example.com/hook", "events": ["task.created"], "org_id": acme.id}
    identity = {"Authorization": f"Bearer {app.token}"}
    assert (await acting(app, acme.id, "PublishEventCommand", event="a.b")).data["organizationId"] == acme.id
    made = await app.request("POST", "/api/webhooks", fields, identity)
    assert (made.status, made.body["data"]["org_id"]) == (201, acme.id)
    for address in (f"/api/webhooks?org_id={acme.id}", "/api/webhooks"):
        named = {} if "?" in address else {"X-Organization-Id": str(acme.id)}
        listed = await app.request("GET", address, headers={**identity, **named})
        assert [item["id"] for item in listed.body["data"]] == [made.body["data"]["id"]]
    assert (await app.request("GET", "/api/webhooks", headers=identity)).body["data"] == []
    assert await count(acme.client, "GetSubscriptionListQuery") == 1
    audited = (await acme.client.cmd("GetAuditLogQuery", type="PublishEventCommand"))["items"]
    assert [line["principalName"] for line in audited] == ["admin"]
    reader = await user(app, http, "reader", roles=["viewer"])
    assert "acting:write" in (await acting(reader, acme.id, "GetEventListQuery")).errors[0]
    unknown = await acting(app, 99, "GetEventListQuery")
    assert (unknown.status, unknown.errors) == (404, ["there is no organisation 99"])
    for number in ("", "0", "-1", "x", "1 ", "9" * 19):
        reply = await app.send("PingQuery", {}, {"X-Organization-Id": number})
        assert reply.status == 400, number


async def test_an_idempotency_key_is_good_for_one_organisation(app: RunningApp, acme: Tenant, borg: Tenant) -> None:
    """The same key and body for another organisation is another request, not the first one's answer."""
    fields = {"event": "a.b", "data": {"n": 1}}
    for number, status in ((acme.id, 200), (acme.id, 200), (borg.id, 409)):
        headers = {"X-Organization-Id": str(number), "Idempotency-Key": "k"}
        reply = await app.send("PublishEventCommand", fields, headers)
        assert reply.status == status
    assert reply.errors == ["Idempotency-Key: was used before for another organisation; take another"]
    assert [await count(one.client, "GetEventListQuery") for one in (acme, borg)] == [1, 0]
