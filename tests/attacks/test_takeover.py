"""Nobody answers, reads or executes what was sent to another organisation's address, or past a signature."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from bpm.client import BusClient, Reply
from bpm.testing import RunningApp, running_app, until
from router.tables.requests import INBOUND
from tests.contracts.tenants import Tenant, tenant

pytestmark = pytest.mark.anyio

SECRET = "a-secret-of-acme-1234567890"
GITHUB = {"scheme": "github", "secret": SECRET}
BEARER = {"scheme": "bearer", "secret": SECRET}
TAKEN = "this address is taken or overlaps one that is; choose another"
MONO = {"mono-webhook-secret": "mono-secret-1"}
CONNECTED = {"event": "mono.events.account_connected", "data": {"id": "1"}}


@dataclass
class Town:
    """A server with two organisations on it, and the installation's own administrator."""

    app: RunningApp
    acme: Tenant
    borg: Tenant

    @property
    def parties(self) -> dict[str, BusClient]:
        """Everybody who may make rules, by name."""
        return {"acme": self.acme.client, "borg": self.borg.client, "root": self.app}


@pytest.fixture(scope="module")
async def town(anyio_backend: str) -> AsyncIterator[Town]:
    """A town in which every test has addresses of its own."""
    mono: Any = {"webhook_secret": MONO["mono-webhook-secret"]}
    async with running_app(mono=mono) as app:
        transport = httpx.ASGITransport(app.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bpm.test") as http:
            yield Town(app, await tenant(app, http, "Acme"), await tenant(app, http, "Borg"))


def fields(path: str, **more: Any) -> dict[str, Any]:
    """Return a rule that publishes an event named as its path's first segment."""
    event = {"event": f"{path.partition('/')[0].lower()}.got", "data": {"body": "{{payload}}"}}
    usual = {"key": path.replace("/", "-").replace("{", "_").replace("}", "_"), "path": path, "description": "d"}
    native = {"action": "POST", "executionType": 0, "commandName": "PublishEventCommand", "parameters": event}
    return {**usual, "isEnabled": True, **native, **more}


async def make(who: BusClient, path: str, **more: Any) -> dict[str, Any]:
    return await who.cmd("CreateWebHookConfigCommand", **fields(path, **more))


async def refusal(who: BusClient, path: str, **more: Any) -> Reply:
    reply = await who.send("CreateWebHookConfigCommand", fields(path, **more))
    assert reply.status in (409, 422), reply.body
    return reply


async def captured(who: BusClient, **filters: Any) -> list[dict[str, Any]]:
    return (await who.cmd("GetInboundRequestListQuery", **filters))["items"]


async def settled(who: BusClient, config_id: int, state: str = "done") -> dict[str, Any]:
    """Wait until a rule's newest request is in a state, and return it."""
    found = await until(lambda: captured(who, configId=config_id), lambda found: found and found[0]["state"] == state)
    return found[0]


async def events(who: BusClient, name: str) -> int:
    return (await who.cmd("GetEventListQuery", event=name))["totalCount"]


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-hub-signature-256": f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"}


FIXED_IN_CAPITALS = [
    ("mono/{what}", "any-key", "mono/Callback"),
    ("an/own/path", "Remita", "Remita"),
]


@pytest.mark.parametrize(("path", "key", "mistyped"), FIXED_IN_CAPITALS)
async def test_a_provider_that_mistypes_its_address_reaches_nobody(
    town: Town, path: str, key: str, mistyped: str
) -> None:
    """Capitals of a fixed address are no way to another organisation's rule, by its parameter or its key."""
    made = await make(town.borg.client, path, key=key)
    reply = await town.app.hook(mistyped, CONNECTED, MONO)
    await town.borg.client.cmd("DeleteWebHookConfigCommand", id=made["id"])
    assert reply.status == 404
    assert await captured(town.borg.client, configKey=key) == []


OVERLAPS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("literal-a/{id}", {}, "literal-a/42", {}),
    ("literal-b/42", {}, "literal-b/{id}", {}),
    ("deep/{a}/lines/{b}", {}, "deep/7/{what}/last", {}),
    ("deeper/x/{b}", {}, "deeper/{a}/y", {}),
    ("same", {}, "same", {"action": "PUT"}),
    ("same-shape/{a}", {}, "same-shape/{b}", {"action": "GET"}),
    ("off", {"isEnabled": False}, "off", {}),
    ("Capitals/Paid", {}, "capitals/paid", {}),
    ("capital-parameter/{id}", {}, "Capital-Parameter/9", {}),
    ("prefixed", {}, "/api/webhooks/prefixed/", {}),
    ("a/deep/path", {"key": "a-key"}, "a-key", {"key": "other"}),
    ("another/deep/path", {"key": "Key-In-Capitals"}, "key-in-capitals", {"key": "other"}),
    ("a-path", {"key": "q"}, "elsewhere/1", {"key": "a-path"}),
    ("a.path", {"key": "w"}, "elsewhere/2", {"key": "A.Path"}),
    ("asked", {}, "asked", {"action": "PUT", "handshake": {"kind": "echo", "when": "true", "body": "ok"}}),
]


@pytest.mark.parametrize("case", OVERLAPS, ids=[first for first, *_ in OVERLAPS])
async def test_an_address_has_one_organisation(town: Town, case: tuple[str, Any, str, Any]) -> None:
    """What overlaps an address of another organisation is refused, saved or changed to, and nothing of it is named."""
    first, of_first, second, of_second = case
    await make(town.acme.client, first, **of_first)
    for who in (town.borg.client, town.app):
        reply = await refusal(who, second, **{"key": f"second-{OVERLAPS.index(case)}", **of_second})
        assert "taken" in reply.errors[0]
        assert not any(word in str(reply.body).lower() for word in ("acme", "organi", "literal-a/{id}"))
    mine = await make(town.borg.client, f"of-borg-{OVERLAPS.index(case)}")
    if "key" not in of_second:
        changed = fields(second, **{"key": None, **of_second})
        del changed["key"]
        reply = await town.borg.client.send("UpdateWebHookConfigCommand", {"id": mine["id"], **changed})
        assert (reply.status, reply.errors) == (409, [f"path: {TAKEN}"])


async def test_a_deleted_rule_frees_its_addresses(town: Town) -> None:
    """Switched off they stay taken; deleted, anybody may have them."""
    made = await make(town.acme.client, "freed/{id}", key="freed-key")
    await town.acme.client.cmd("DeactivateWebHookConfigCommand", id=made["id"])
    await refusal(town.borg.client, "freed/1")
    await town.acme.client.cmd("DeleteWebHookConfigCommand", id=made["id"])
    await make(town.borg.client, "freed/1")
    await make(town.borg.client, "freed-key", key="x-freed")


async def test_within_an_organisation_addresses_may_overlap(town: Town) -> None:
    """A literal beats a parameter, a path a key, and methods share an address."""
    acme = town.acme.client
    await make(acme, "own/{id}")
    literal = await make(acme, "own/7")
    await make(acme, "own/7", key="own-put", action="PUT")
    await make(acme, "elsewhere/own", key="own-key")
    path = await make(acme, "own-key", key="own-other")
    for address, rule in (("own/7", literal), ("own-key", path)):
        assert (await town.app.hook(address, {})).status == 200
        assert (await settled(acme, rule["id"]))["path"] == address


async def test_no_organisation_begins_with_a_parameter(town: Town) -> None:
    """A rule that would answer in everybody's place is the installation's alone to make."""
    reply = await refusal(town.borg.client, "{a}/{b}/{c}/{d}/{e}")
    assert "must begin with a literal segment" in reply.errors[0]
    made = await make(town.app, "{a}/{b}/{c}/{d}/{e}", key="wide")
    await refusal(town.borg.client, "v/w/x/y/z")
    await town.app.cmd("DeleteWebHookConfigCommand", id=made["id"])


async def test_of_two_that_save_at_once_one_wins(town: Town) -> None:
    """Overlapping addresses saved by two organisations at the same moment: one has them, the other is refused."""
    for round_ in range(5):
        pair = ((town.acme, f"race-{round_}/{{id}}"), (town.borg, f"race-{round_}/1"))
        made = [who.client.send("CreateWebHookConfigCommand", fields(path)) for who, path in pair]
        assert sorted(reply.status for reply in await asyncio.gather(*made)) == [200, 409]


async def test_fixed_addresses_are_no_rules(town: Town) -> None:
    """A rule with a parameter does not hear what comes to a provider's address, also when the provider is off."""
    await make(town.borg.client, "mono/{what}", key="mono-trap")
    assert (await town.app.hook("mono/callback", CONNECTED)).status == 401
    assert (await town.app.hook("remita", [])).status == 404
    assert await captured(town.borg.client, configKey="mono-trap") == []


async def test_only_the_rule_that_takes_a_request_greets(town: Town) -> None:
    """A handshake of the rule beside does not swallow a request; where no rule takes the method, it is heard."""
    acme = town.acme.client
    rule = await make(acme, "greeted", signature=GITHUB)
    echo = {"kind": "echo", "when": "true", "body": "swallowed"}
    await make(acme, "greeted", key="beside", action="PUT", handshake=echo)
    assert (await town.app.hook("greeted", b"{}", signed(b"{}"))).message == "Accepted"
    await settled(acme, rule["id"])
    assert (await town.app.request("GET", "/api/webhooks/greeted")).body == "swallowed"
    await acme.cmd("DeactivateWebHookConfigCommand", id=rule["id"])
    assert (await town.app.hook("greeted", b"{}")).status == 404


@pytest.mark.parametrize("signature", [GITHUB, BEARER], ids=["github", "bearer"])
async def test_a_replay_does_not_pass_a_signature(town: Town, signature: dict[str, str]) -> None:
    """What an unsigned rule took is not executed by it once it is signed, whatever `force` says, singly or in bulk."""
    acme, path = town.acme.client, f"later-signed-{signature['scheme']}"
    rule = await make(acme, path)
    await town.app.hook(path, {"forged": True})
    kept = await settled(acme, rule["id"])
    signed_now = fields(path, signature=signature)
    del signed_now["key"]
    await acme.cmd("UpdateWebHookConfigCommand", id=rule["id"], **signed_now)
    reply = await acme.send("ReplayInboundRequestCommand", {"requestId": kept["requestId"], "force": True})
    assert (reply.status, reply.errors[0].startswith("signature: ")) == (409, True)
    many = {"requestIds": [kept["requestId"]], "force": True}
    assert (await acme.cmd("ReplayInboundRequestsCommand", **many))["skipped"] == 1
    assert await events(acme, f"{path}.got") == 1


async def test_a_replay_meets_no_other_rule(town: Town) -> None:
    """With its rule deleted a request is executed by none: not beside it, below it, or by one with the same key."""
    acme, borg = town.acme.client, town.borg.client
    trap = await make(acme, "lineage/42")
    await town.app.hook("lineage/42", {"forged": True})
    kept = await settled(acme, trap["id"])
    await acme.cmd("DeleteWebHookConfigCommand", id=trap["id"])
    await make(acme, "lineage/{id}", signature=GITHUB)
    for again in (None, "lineage/42"):
        if again is not None:
            await make(acme, again)
        reply = await acme.send("ReplayInboundRequestCommand", {"requestId": kept["requestId"], "force": True})
        assert (reply.status, "was deleted" in reply.errors[0]) == (409, True)
    assert await events(acme, "lineage.got") == 1
    reply = await borg.send("ReplayInboundRequestCommand", {"requestId": kept["requestId"], "force": True})
    assert reply.status == 404


async def test_a_refused_request_stays_with_its_organisation(town: Town) -> None:
    """What came to Borg's switched-off rule does not go to the rule that Acme has at the address by now."""
    acme, borg = town.acme.client, town.borg.client
    trap = await make(borg, "moved-on", key="trap", isEnabled=False)
    await town.app.hook("moved-on", {"forged": True})
    kept = await settled(borg, trap["id"], "quarantined")
    moved = fields("moved-off")
    del moved["key"]
    await borg.cmd("UpdateWebHookConfigCommand", id=trap["id"], **moved)
    rule = await make(acme, "moved-on", key="of-acme")
    for _ in range(2):
        view = await borg.cmd("ReplayInboundRequestCommand", requestId=kept["requestId"])
        assert (view["replayed"], view["verdict"], view["state"]) == (False, "unknown", "quarantined")
    assert await captured(acme, configId=rule["id"]) == []


async def test_a_request_for_nobody_is_the_installations(town: Town) -> None:
    """What came when nothing answered is not handed to an organisation that takes the address afterwards."""
    await town.app.hook("nobody-yet", {"order": 1})
    (kept,) = [request for request in await captured(town.app, verdict="unknown") if request["path"] == "nobody-yet"]
    rule = await make(town.acme.client, "nobody-yet")
    view = await town.app.cmd("ReplayInboundRequestCommand", requestId=kept["requestId"])
    assert (view["replayed"], view["verdict"]) == (False, "unknown")
    assert await captured(town.acme.client, configId=rule["id"]) == []


async def test_a_secret_that_is_not_stored_proves_a_replay_while_it_counts(town: Town) -> None:
    """A request with the right bearer token is driven again; after the token was changed it is not."""
    acme = town.acme.client
    rule = await make(acme, "proven", signature={**BEARER, "secrets": ["the-former-one-123456"]})
    for secret in (SECRET, "the-former-one-123456"):
        assert (await town.app.hook("proven", {}, {"authorization": f"Bearer {secret}"})).status == 200
    done = await until(lambda: captured(acme, configId=rule["id"], state="done"), lambda requests: len(requests) == 2)
    for request in done:
        assert (await acme.cmd("ReplayInboundRequestCommand", requestId=request["requestId"], force=True))["replayed"]
    await until(lambda: captured(acme, configId=rule["id"], state="done"), lambda requests: len(requests) == 2)
    rotated = fields("proven", signature=BEARER)
    del rotated["key"]
    await acme.cmd("UpdateWebHookConfigCommand", id=rule["id"], **rotated)
    newest, former = done[0]["requestId"], done[-1]["requestId"]
    replies = [
        await acme.send("ReplayInboundRequestCommand", {"requestId": id_, "force": True}) for id_ in (former, newest)
    ]
    assert sorted(reply.status for reply in replies) == [200, 409]
    stored = await acme.cmd("GetInboundRequestByIdQuery", requestId=former)
    assert SECRET not in str(stored)


async def test_a_providers_request_is_verified_anew(town: Town) -> None:
    """A row of a fixed endpoint is driven again by the secret it came with, and not without."""
    assert (await town.app.hook("mono/callback", CONNECTED, MONO)).status == 200
    kept = await until(lambda: captured(town.app, provider="mono", state="done"))
    wanted = {"requestId": kept[0]["requestId"], "force": True}
    assert (await town.app.cmd("ReplayInboundRequestCommand", **wanted))["replayed"]
    await until(lambda: captured(town.app, provider="mono", state="done"))
    forged = INBOUND.update().where(INBOUND.c.request_id == wanted["requestId"]).values(sealed=None)
    await town.app.app.database.write(lambda tx: tx.connection.execute(forged))
    reply = await town.app.send("ReplayInboundRequestCommand", wanted)
    assert (reply.status, "mono-webhook-secret is not the secret" in reply.errors[0]) == (409, True)


async def test_a_dry_run_names_nobody_elses_rule(town: Town) -> None:
    """Who answers an address is told of one's own rules only; a draft there is told that the address is taken."""
    await make(town.acme.client, "whose/{id}", key="acmes-secret-name")
    draft = fields("whose/7")
    del draft["key"]
    made_up = {"path": "whose/7", "method": "POST"}
    view = await town.borg.client.cmd("TestWebHookConfigCommand", config=draft, request=made_up)
    assert (view["route"]["answeredBy"], view["problems"]) == (None, [f"path: {TAKEN}"])
    back = await town.borg.client.cmd("BackTestWebHookConfigCommand", config=draft)
    assert (back["total"], back["problems"]) == (0, [f"path: {TAKEN}"])
    assert "acme" not in str(view) + str(back)
