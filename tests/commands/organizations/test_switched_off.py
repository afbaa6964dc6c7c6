"""Nothing of an organisation that is switched off works, and nothing of it is lost."""

import asyncio

import httpx
import pytest

from bpm.client import BusClient
from bpm.testing import RunningApp, WebhookReceiver, until
from tests.commands.organizations.asking import HOOK, acting, count, refused
from tests.contracts.tenants import PASSWORD, Tenant

pytestmark = pytest.mark.anyio

TIMER = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">
<process id="waits" isExecutable="true"><startEvent id="s"/><sequenceFlow id="a" sourceRef="s" targetRef="t"/>
<intermediateCatchEvent id="t"><timerEventDefinition><timeDuration>PT0.2S</timeDuration></timerEventDefinition>
</intermediateCatchEvent></process></definitions>"""


async def test_nobody_of_a_switched_off_organisation_comes_in(
    app: RunningApp, http: httpx.AsyncClient, acme: Tenant, borg: Tenant
) -> None:
    """Token, key, sign-in and refresh are refused until it is on again, then they are as good as before."""
    key = await acme.client.cmd("CreateApiKeyCommand", name="k", scopes=["*:read"])
    signing = {"username": "acme-admin", "password": PASSWORD}
    pair = (await app.request("POST", "/api/auth/token", signing)).body
    await app.cmd("DeactivateOrganizationCommand", id=acme.id)
    assert "already inactive" in await refused(app, 409, "DeactivateOrganizationCommand", id=acme.id)
    refresh = {"refresh_token": pair["refresh_token"]}
    for token in (acme.client.token, key["key"], pair["access_token"]):
        reply = await BusClient(http, token).send("PingQuery", {})
        assert (reply.status, reply.message) == (401, "Organisation is inactive")
    for fields in (signing, refresh):
        assert (await app.request("POST", "/api/auth/token", fields)).status == 401
    wrong = await app.request("POST", "/api/auth/token", {**signing, "password": "wrong password"})
    assert wrong.message == "Wrong username or password"
    assert (await borg.client.send("PingQuery", {})).ok
    assert (await acting(app, acme.id, "GetUserListQuery")).data["totalCount"] == 1
    await app.cmd("ActivateOrganizationCommand", id=acme.id)
    assert (await acme.client.send("PingQuery", {})).ok
    assert (await app.request("POST", "/api/auth/token", refresh)).ok


async def test_webhooks_of_a_switched_off_organisation_are_kept(app: RunningApp, acme: Tenant, borg: Tenant) -> None:
    """They answer 404 as an inactive address, are quarantined, and can be driven again afterwards."""
    for who, key in ((acme, "a"), (borg, "b")):
        await who.client.cmd("CreateWebHookConfigCommand", **HOOK, key=key, path=key)
        assert (await app.hook(key, {"n": 0})).ok
    await app.cmd("DeactivateOrganizationCommand", id=acme.id)
    assert [(await app.hook(key, {"n": 1})).status for key in "ab"] == [404, 200]
    kept = (await acting(app, acme.id, "GetInboundRequestListQuery", state="quarantined")).data["items"]
    (shown,) = [(item["verdict"], item["errors"]) for item in kept]
    assert shown == ("disabled", ["the organisation is switched off"])
    await app.cmd("ActivateOrganizationCommand", id=acme.id)
    assert (await app.hook("a", {"n": 2})).status == 200
    await acme.client.cmd("ReplayInboundRequestCommand", requestId=kept[0]["requestId"])
    await until(lambda: count(acme.client, "GetInboundRequestListQuery", state="done"), lambda found: found == 3)


async def test_deliveries_of_a_switched_off_organisation_wait(
    app: RunningApp, acme: Tenant, receiver: WebhookReceiver
) -> None:
    """Nothing goes out, nothing is lost, and afterwards all of it arrives in its order, what is new behind it."""
    made = await acme.client.cmd("CreateSubscriptionCommand", url=receiver.url, events=["a.*"], orderingKey="data.k")
    await acme.client.cmd("PublishEventCommand", event="a.b", data={"k": 1, "n": 0})
    await receiver.wait_for(1)
    await app.cmd("DeactivateOrganizationCommand", id=acme.id)
    for number in range(1, 6):
        fields = {"event": "a.b", "data": {"k": 1, "n": number}, "organizationId": acme.id}
        await app.cmd("PublishEventCommand", **fields)

    async def paused() -> int:
        return (await acting(app, acme.id, "GetDeliveryListQuery", state="paused")).data["totalCount"]

    await until(paused, lambda found: found == 5)
    await asyncio.sleep(0.4)  # several rounds of the reconciler
    assert (len(receiver.requests), await paused()) == (1, 5)
    await app.cmd("ActivateOrganizationCommand", id=acme.id)
    await acme.client.cmd("PublishEventCommand", event="a.b", data={"k": 1, "n": 6})
    arrived = await receiver.wait_for(7)
    assert [request.json()["data"]["n"] for request in arrived] == list(range(7))
    await until(lambda: count(acme.client, "GetDeliveryListQuery", state="delivered"), lambda found: found == 7)
    assert (await acme.client.cmd("GetSubscriptionByIdQuery", id=made["id"]))["isActive"]


async def test_processes_of_a_switched_off_organisation_wait(app: RunningApp, acme: Tenant) -> None:
    """A timer that is due meanwhile fires afterwards."""
    await acme.client.cmd("CreateProcessDefinitionCommand", name="w", bpmnXml=TIMER)
    await acme.client.cmd("StartProcessInstanceCommand", processKey="waits")
    await app.cmd("DeactivateOrganizationCommand", id=acme.id)
    await asyncio.sleep(0.6)
    running = await acting(app, acme.id, "GetProcessInstanceListQuery", status="WAITING")
    assert running.data["totalCount"] == 1
    await app.cmd("ActivateOrganizationCommand", id=acme.id)
    await until(lambda: count(acme.client, "GetProcessInstanceListQuery", status="COMPLETED"), lambda found: found == 1)
