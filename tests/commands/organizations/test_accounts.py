"""An organisation's administrator manages its own accounts, and nobody gains rights that way."""

from typing import Any

import httpx
import pytest

from bpm.client import BusClient
from bpm.testing import RunningApp, until
from tests.commands.organizations.asking import HOOK, acting, count, refused, user
from tests.contracts.tenants import PASSWORD, Tenant

pytestmark = pytest.mark.anyio


async def test_an_administrator_manages_its_own_accounts_alone(app: RunningApp, acme: Tenant, borg: Tenant) -> None:
    """Another organisation's accounts and keys are not there, and names are taken without a word about by whom."""
    theirs = await borg.client.cmd("CreateApiKeyCommand", name="k", scopes=["*:read"])
    changes: list[tuple[str, dict[str, Any]]] = [
        ("UpdateUserCommand", {"id": borg.has["userId"], "roles": []}),
        ("UpdateUserCommand", {"id": 1, "password": PASSWORD}),
        ("DisableUserCommand", {"id": 1}),
        ("CreateApiKeyCommand", {"name": "x", "scopes": ["*:read"], "userId": 1}),
        ("RevokeApiKeyCommand", {"id": theirs["id"]}),
    ]
    for name, fields in changes:
        assert "not found" in await refused(acme.client, 404, name, **fields)
    assert "already exists" in await refused(acme.client, 409, "CreateUserCommand", username="borg-admin")
    for name in ("CreateUserCommand", "CreateApiKeyCommand"):
        fields = {"username": "x"} if name == "CreateUserCommand" else {"name": "x", "scopes": ["*:read"], "userId": 1}
        sentence = await refused(acme.client, 403, name, organizationId=1, **fields)
        assert "your own organisation alone" in sentence
    listed = await acme.client.cmd("GetUserListQuery")
    assert [item["organizationId"] for item in listed["items"]] == [acme.id]
    key = await app.cmd(
        "CreateApiKeyCommand", name="x", scopes=["events:read"], userId=acme.has["userId"], organizationId=acme.id
    )
    assert (await BusClient(acme.client.http, key["key"]).cmd("GetOwnOrganizationQuery"))["id"] == acme.id


async def test_nobody_rises(app: RunningApp, http: httpx.AsyncClient, acme: Tenant) -> None:
    """More than one holds is neither given to others nor to oneself: by role, by name, by key, by a key's key."""
    clerk = await user(acme.client, http, "clerk", permissions=["users:write", "users:read", "events:write"])
    (own,) = (await clerk.cmd("GetUserListQuery", searchText="clerk"))["items"]
    changes: list[tuple[str, dict[str, Any]]] = [
        ("CreateUserCommand", {"username": "x", "roles": ["admin"]}),
        ("CreateUserCommand", {"username": "x", "permissions": ["*:write"]}),
        ("CreateUserCommand", {"username": "x", "permissions": ["organizations:write"]}),
        ("UpdateUserCommand", {"id": own["id"], "roles": ["operator"]}),
        ("UpdateUserCommand", {"id": own["id"], "permissions": ["events:reserved"]}),
        ("UpdateUserCommand", {"id": acme.has["userId"], "password": PASSWORD}),
        ("DisableUserCommand", {"id": acme.has["userId"]}),
        ("CreateApiKeyCommand", {"name": "x", "scopes": ["*:read"]}),
        ("CreateApiKeyCommand", {"name": "x", "scopes": ["acting:write"]}),
        ("CreateApiKeyCommand", {"name": "x", "scopes": ["*:write"], "userId": acme.has["userId"]}),
    ]
    for name, fields in changes:
        assert (await clerk.send(name, fields)).status == 403, name
    for who in (acme.client, clerk):
        for permission in ("organizations:write", "acting:write", "system:read"):
            fields = {"username": "x", "permissions": [permission]}
            assert "can't grant" in await refused(who, 403, "CreateUserCommand", **fields)
    narrow = await clerk.cmd("CreateApiKeyCommand", name="k", scopes=["users:write"], expiresAt="2099-01-01")
    by_key = BusClient(http, narrow["key"])
    assert "can't grant" in await refused(by_key, 403, "CreateApiKeyCommand", name="k2", scopes=["events:write"])
    assert "when your own key expires" in await refused(
        by_key, 422, "CreateApiKeyCommand", name="k2", scopes=["users:write"]
    )
    assert "may do more than you" in await refused(by_key, 403, "UpdateUserCommand", id=own["id"], password=PASSWORD)


async def test_rights_that_are_gone_meanwhile_are_gone(app: RunningApp, http: httpx.AsyncClient, acme: Tenant) -> None:
    """Whoever is demoted, disabled or revoked while a command is on its way changes no account by it."""
    clerk = await user(acme.client, http, "clerk", permissions=["users:write", "events:write"])
    key = await clerk.cmd("CreateApiKeyCommand", name="k", scopes=["users:write"])
    message = app.app.registry.decode("CreateUserCommand", {"username": "x", "permissions": ["events:write"]})
    small = app.app.registry.decode("CreateUserCommand", {"username": "y"})
    before = await app.app.accounts.authenticate(f"Bearer {clerk.token}", "")
    by_key = await app.app.accounts.authenticate(f"Bearer {key['key']}", "")
    (own,) = (await acme.client.cmd("GetUserListQuery", searchText="clerk"))["items"]
    await acme.client.cmd("UpdateUserCommand", id=own["id"], permissions=["users:write"])
    assert "do not hold: events:write" in await outcome(app, message, before)
    await acme.client.cmd("RevokeApiKeyCommand", id=key["id"])
    assert "was revoked" in await outcome(app, small, by_key)
    await acme.client.cmd("DisableUserCommand", id=own["id"])
    assert "is disabled" in await outcome(app, small, before)


async def outcome(app: RunningApp, message: Any, principal: Any) -> str:
    """Send a message as somebody who was recognised before, and return why it was refused."""
    try:
        await app.app.bus.send(message, principal)
    except Exception as error:
        return str(error)
    return ""


async def test_a_rule_runs_as_nobody_of_another_organisation(app: RunningApp, acme: Tenant) -> None:
    """`runAs` finds one's own accounts alone, and what a rule does is its organisation's."""
    fields = {**HOOK, "key": "a", "path": "a", "runAs": "admin"}
    assert "runAs: no enabled user" in await refused(acme.client, 422, "CreateWebHookConfigCommand", **fields)
    reply = await acting(app, acme.id, "CreateWebHookConfigCommand", **{**fields, "runAs": None})
    assert reply.ok, reply.body
    assert (await acme.client.request("POST", "/api/webhooks/a", {"n": 1})).ok
    await until(lambda: count(acme.client, "GetEventListQuery", event="order.created"), lambda found: found == 1)
    assert await count(app, "GetEventListQuery", event="order.created") == 0


async def test_a_rule_reads_nothing_of_the_server(app: RunningApp, acme: Tenant) -> None:
    """Secrets in the server's environment and files are the installation's to name."""
    for secret in ("env:BPM_SECRET_KEY", "file:/etc/hostname"):
        fields = {**HOOK, "key": "a", "path": "a", "signature": {"scheme": "github", "secret": secret}}
        sentence = await refused(acme.client, 422, "CreateWebHookConfigCommand", **fields)
        assert sentence == "secret: env: and file: name what is the installation's; enter the secret itself"
    assert (await app.send("CreateWebHookConfigCommand", fields)).ok
