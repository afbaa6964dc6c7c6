"""Mono's and Remita's endpoints in a real server, over restarts."""

from typing import Any

import pytest

from bpm.testing import ServerProcess

pytestmark = pytest.mark.anyio

SECRET = {"mono-webhook-secret": "m0no"}
CONNECTED: dict[str, Any] = {
    "event": "mono.events.account_connected",
    "event_id": "e1",
    "data": {"id": "acc_1", "customer": "c1", "meta": {}},
}
PAYMENTS = [
    {"rrr": "110-0020-71256", "channnel": "CARD", "amount": 200.0, "payerEmail": "a@b.c", "orderId": "o1"},
    {"rrr": "2", "amount": 1},
]
DEBIT = {
    "notificationType": "DEBIT",
    "lineItems": [{"mandateId": " 1", "requestId": "2", "debitDate": "01/02/2026", "amount": "20000"}],
}
LISTS = ("GetMonoAccountListQuery", "GetRemitaPaymentListQuery", "GetRemitaCollectionListQuery")


async def counts(server: ServerProcess) -> list[int]:
    """Return how many accounts, payments and collections there are once everything is executed."""
    await server.settled()
    return [(await server.cmd(query))["totalCount"] for query in LISTS]


async def test_notifications_are_kept_once_over_a_crash() -> None:
    """Repeated before and after kill -9, each event, RRR and debit has one record."""
    async with ServerProcess(BPM_MONO__WEBHOOK_SECRET="m0no", BPM_REMITA__ALLOWED_IPS="127.0.0.1") as server:
        for _ in range(2):
            assert (await server.hook("mono/callback", CONNECTED)).status == 401
            assert (await server.hook("mono/callback", CONNECTED, SECRET)).status == 200
            assert [(await server.hook("remita", PAYMENTS)).body for _ in range(2)] == ["Ok", "Ok"]
            assert (await server.hook("remita/collection-notification", DEBIT)).body == "Ok"
            assert await counts(server) == [1, 2, 1]
            await server.kill()
            await server.start()
        await server.login()
        assert await counts(server) == [1, 2, 1]


async def test_endpoints_are_off_until_configured() -> None:
    """Without a secret or an address list nothing answers, and the status says which setting is missing."""
    async with ServerProcess() as server:
        for path in ("mono/callback", "remita", "remita/collection-notification"):
            assert (await server.hook(path, {}, SECRET)).status == 404, path
        reasons = (await server.cmd("GetSystemStatusQuery"))["endpointsOff"]
        assert "BPM_MONO__WEBHOOK_SECRET" in reasons["mono"]
        assert "BPM_REMITA__ALLOWED_IPS" in reasons["remita"]
