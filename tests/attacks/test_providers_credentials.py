"""Nobody asks a provider with the installation's credentials but the installation."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer

from bpm.testing import RunningApp, running_app
from tests.contracts.tenants import Tenant, tenant

pytestmark = pytest.mark.anyio

RRR = "280007021192"
PAID = {"amount": 4_200.0, "RRR": RRR, "status": "00", "message": "Approved"}
NOTIFIED = {"notifications": [{"rrr": RRR}]}
ALONE = "for the installation alone"


@pytest.fixture
async def app(httpserver: HTTPServer) -> AsyncIterator[RunningApp]:
    """A server whose installation is a merchant of both providers."""
    httpserver.expect_request("/v2/accounts/auth").respond_with_json({"data": {"id": "an-account"}})
    url = httpserver.url_for("")
    mono: Any = {"webhook_secret": "a-mono-secret", "secret_key": "test_sk", "base_url": url}
    remita: Any = {"header_secret": "a-secret", "merchant_id": "2547916", "api_key": "1946", "base_url": url}
    async with running_app(mono=mono, remita=remita) as running:
        yield running


@pytest.fixture
async def borg(app: RunningApp) -> AsyncIterator[Tenant]:
    """An organisation whose administrator is the attacker."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.app), base_url="http://bpm.test") as http:
        yield await tenant(app, http, "Borg")


async def test_the_status_of_the_installations_payments(borg: Tenant, httpserver: HTTPServer) -> None:
    """A payment that an organisation made up is not confirmed, neither by hand nor later: its RRR may be anybody's."""
    await borg.client.cmd("ProcessRemitaPaymentNotificationCommand", **NOTIFIED)
    assert (await borg.client.cmd("GetScheduledMessageListQuery"))["items"] == []
    reply = await borg.client.send("ConfirmRemitaPaymentCommand", {"rrr": RRR})
    assert (reply.status, ALONE in str(reply.body)) == (403, True), reply.body
    item = {"mandateId": "1", "requestId": "2", "date": "2026-01-31"}
    await borg.client.cmd("ProcessRemitaCollectionNotificationCommand", items=[{"type": "DEBIT", **item}])
    assert (await borg.client.cmd("GetScheduledMessageListQuery"))["items"] == []
    reply = await borg.client.send("ConfirmRemitaCollectionCommand", {"notificationType": "DEBIT", **item})
    assert (reply.status, ALONE in str(reply.body)) == (403, True), reply.body
    assert httpserver.log == []


async def test_the_status_of_the_installations_payments_at_mono(borg: Tenant, httpserver: HTTPServer) -> None:
    """A payment that an organisation made up by somebody's reference is not confirmed either."""
    told = {"object": {"reference": "order-1", "amount": 1}}
    event = {"event": "direct_debit.payment_successful", "eventId": "e1", "data": told}
    await borg.client.cmd("ProcessMonoEventCommand", **event)
    assert (await borg.client.cmd("GetMonoPaymentListQuery"))["totalCount"] == 1
    assert (await borg.client.cmd("GetScheduledMessageListQuery"))["items"] == []
    reply = await borg.client.send("ConfirmMonoPaymentCommand", {"reference": "order-1"})
    assert (reply.status, ALONE in str(reply.body)) == (403, True), reply.body
    assert httpserver.log == []


async def test_accounts_of_the_installations_customers(borg: Tenant, httpserver: HTTPServer) -> None:
    """A code of Mono Connect is not exchanged for whoever got hold of it; what needs no asking goes on."""
    reply = await borg.client.send("CompleteMonoConnectionCommand", {"code": "code_abc"})
    assert (reply.status, ALONE in str(reply.body)) == (403, True), reply.body
    assert (await borg.client.cmd("CompleteMonoConnectionCommand", reason="left"))["status"] == "closed"
    assert httpserver.log == []
