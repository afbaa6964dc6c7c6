"""A notification that is wrong does not stand in the way of the one that is right, and confirms nothing."""

import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from bpm.testing import ServerProcess, until

pytestmark = pytest.mark.anyio

RRR = "280007021192"
HASH = hashlib.sha512(f"{RRR}19462547916".encode()).hexdigest()
REMITA = f"/2547916/{RRR}/{HASH}/status.reg"
DEBIT = "/mandate/payment/status"
PAID = {"amount": 4_200.0, "RRR": RRR, "orderId": "order-1", "status": "00", "message": "Approved"}
PENDING = {"RRR": RRR, "status": "021", "message": "Transaction Pending"}
GENUINE = {"rrr": RRR, "amount": 4200, "orderId": "order-1", "payerEmail": "ada@example.com"}
REFERENCE = "order-4711-1"
MONO = {"mono-webhook-secret": "a-mono-secret"}
MADE = {"status": "successful", "reference": REFERENCE, "amount": 20_000, "currency": "NGN", "account": {"id": "acc_1"}}


@pytest.fixture
async def server(httpserver: HTTPServer) -> AsyncIterator[ServerProcess]:
    """A server whose installation is a merchant of both providers."""
    url = httpserver.url_for("")
    async with ServerProcess(
        BPM_MONO__WEBHOOK_SECRET="a-mono-secret",
        BPM_MONO__SECRET_KEY="test_sk",
        BPM_MONO__BASE_URL=url,
        BPM_REMITA__ALLOWED_IPS="127.0.0.1",
        BPM_REMITA__MERCHANT_ID="2547916",
        BPM_REMITA__API_KEY="1946",
        BPM_REMITA__BASE_URL=url,
        BPM_REMITA__MANDATE_URL=f"{url}mandate",
    ) as running:
        yield running


@pytest.mark.parametrize(
    "wrong",
    [{"amount": 1, "orderId": "order-1"}, {"amount": 4200, "orderId": "order-2"}],
    ids=["another amount", "another order"],
)
async def test_the_right_one_comes_after_a_wrong_one(
    server: ServerProcess, httpserver: HTTPServer, wrong: dict[str, Any]
) -> None:
    """The wrong one is a mismatch; the right one is asked about anew, and its payer and order are told."""
    httpserver.expect_request(REMITA).respond_with_json(PAID)
    await server.hook("remita", [{"rrr": RRR, "payerEmail": "eve@example.com", **wrong}])
    await payment(server, "mismatch")
    assert (await server.hook("remita", [GENUINE])).body == "Ok"
    kept = await payment(server, "confirmed")
    told = kept["orderId"], kept["amount"], kept["payerEmail"], kept["incident"]
    assert told == ("order-1", "4200", "ada@example.com", None)
    (event,) = await events(server, "remita.payment_confirmed")
    assert (event["orderId"], event["amount"], event["confirmedAmount"]) == ("order-1", "4200", "4200")


async def test_a_wrong_one_comes_before_anything_was_paid(server: ServerProcess, httpserver: HTTPServer) -> None:
    """Whoever is first, between or last: what Remita says decides which one is meant."""
    asked = httpserver.expect_ordered_request(REMITA)
    asked.respond_with_json(PENDING)
    await server.hook("remita", [{**GENUINE, "orderId": "order-2"}])
    await until(lambda: payment(server, "unconfirmed"), lambda found: found["checks"] == 1)
    httpserver.clear()
    httpserver.expect_request(REMITA).respond_with_json(PAID)
    await server.hook("remita", [GENUINE, {**GENUINE, "amount": 7}, {"rrr": RRR, "orderId": "order-3"}])
    assert (await payment(server, "confirmed"))["orderId"] == "order-1"
    assert await events(server, "remita.payment_mismatch") == []


async def test_the_same_one_again_has_it_asked_again(server: ServerProcess, httpserver: HTTPServer) -> None:
    """A payment that was notified before it was made is confirmed when it is notified again."""
    httpserver.expect_request(REMITA).respond_with_json(PENDING)
    await server.hook("remita", [GENUINE])
    await until(lambda: payment(server, "unconfirmed"), lambda found: found["checks"] == 1)
    httpserver.clear()
    httpserver.expect_request(REMITA).respond_with_json(PAID)
    await server.hook("remita", [GENUINE])
    await payment(server, "confirmed")
    assert len(await events(server, "remita.payment_notified")) == 1


async def test_a_refused_question_is_put_again(server: ServerProcess, httpserver: HTTPServer) -> None:
    """Its job is given up after 72 minutes; another one waits, also for who exchanges the credentials at Remita."""
    httpserver.expect_request(REMITA).respond_with_json({}, status=401)
    await server.hook("remita", [GENUINE])
    found = await until(lambda: listed(server, "GetScheduledMessageListQuery"), lambda messages: len(messages) > 1)
    assert {message["type"] for message in found} == {"ConfirmRemitaPaymentCommand"}
    assert len(found) == 2
    assert (await payment(server, "unconfirmed"))["checks"] == 0


async def test_two_orders_fit_where_remita_names_none(server: ServerProcess, httpserver: HTTPServer) -> None:
    """Nobody can tell which one was paid: an incident says so."""
    httpserver.expect_request(REMITA).respond_with_json({**PAID, "orderId": None})
    await server.hook("remita", [{**GENUINE, "orderId": "order-2"}, GENUINE])
    assert "order-2" in (await payment(server, "mismatch"))["incident"]


@pytest.mark.parametrize(
    "wrong",
    [{"amount": 1}, {"currency": "GHS"}, {"account": "acc_2"}, {"mandate": "mmc_1"}],
    ids=["amount", "currency", "account", "mandate"],
)
async def test_the_right_event_of_mono_comes_after_a_wrong_one(
    server: ServerProcess, httpserver: HTTPServer, wrong: dict[str, Any]
) -> None:
    """Also where the wrong one has Mono asked about something that it does not know."""
    httpserver.expect_request(re.compile("/v3/.*")).respond_with_json({}, status=404)
    httpserver.expect_request(f"/v2/payments/verify/{REFERENCE}").respond_with_json({"data": MADE})
    right = {"reference": REFERENCE, "amount": 20_000, "currency": "NGN", "account": {"_id": "acc_1"}}
    await tell(server, "e1", {**right, **wrong})
    await until(lambda: mono_payment(server), lambda found: found and found["checks"])
    assert (await mono_payment(server))["status"] != "confirmed"
    await tell(server, "e2", right)
    kept = await until(lambda: mono_payment(server), lambda found: found["status"] == "confirmed")
    told = kept["amount"], kept["currency"], kept["accountId"], kept["mandateId"]
    assert told == ("20000", "NGN", "acc_1", None)


async def test_another_account_of_monos_is_a_mismatch(server: ServerProcess, httpserver: HTTPServer) -> None:
    """What was paid from one account is not confirmed for another one."""
    httpserver.expect_request(f"/v2/payments/verify/{REFERENCE}").respond_with_json({"data": MADE})
    await tell(server, "e1", {"reference": REFERENCE, "amount": 20_000, "account": "acc_2"})
    kept = await until(lambda: mono_payment(server), lambda found: found and found["checks"])
    assert (kept["status"], "acc_2" in (kept["incident"] or "")) == ("mismatch", True)
    assert await events(server, "mono.payment_confirmed") == []


async def test_what_mono_alone_says_is_told(server: ServerProcess, httpserver: HTTPServer) -> None:
    """An event without a currency or an account takes Mono's: an amount of another currency passed for naira."""
    httpserver.expect_request(f"/v2/payments/verify/{REFERENCE}").respond_with_json(
        {"data": {**MADE, "currency": "GHS"}}
    )
    await tell(server, "e1", {"reference": REFERENCE, "amount": 20_000})
    await until(lambda: mono_payment(server), lambda found: found and found["status"] == "confirmed")
    (event,) = await events(server, "mono.payment_confirmed")
    assert (event["currency"], event["accountId"]) == ("GHS", "acc_1")


async def test_a_refunded_payment_is_a_mismatch(server: ServerProcess, httpserver: HTTPServer) -> None:
    """Mono calls it successful all the same."""
    httpserver.expect_request(f"/v2/payments/verify/{REFERENCE}").respond_with_json(
        {"data": {**MADE, "refunded": True}}
    )
    await tell(server, "e1", {"reference": REFERENCE, "amount": 20_000})
    kept = await until(lambda: mono_payment(server), lambda found: found and found["checks"])
    assert (kept["status"], "refunded" in (kept["incident"] or "")) == ("mismatch", True)


async def test_a_debit_is_confirmed_for_one_day(server: ServerProcess, httpserver: HTTPServer) -> None:
    """Remita is asked by mandate and request alone: the same debit notified for another day is not another one."""
    said = {"statuscode": "01", "status": "Approved", "amount": "10000.50", "RRR": "130007000001"}
    httpserver.expect_request(DEBIT).respond_with_json(said)
    for day in ("01/02/2026", "02/02/2026"):
        await server.hook("remita/collection-notification", debit(day))
        await server.settled()  # its row is there
        await until(lambda: collections(server), lambda found: all(one["checks"] for one in found))
    first, second = await collections(server)
    assert (first["status"], second["status"]) == ("confirmed", "mismatch")
    assert "2026-02-01" in second["incident"]
    assert len(await events(server, "remita.collection_confirmed")) == 1
    httpserver.clear()
    httpserver.expect_request(DEBIT).respond_with_json({**said, "RRR": "130007000002"})
    await server.hook("remita/collection-notification", debit("02/02/2026"))
    await until(lambda: collections(server), lambda found: found[1]["status"] == "confirmed")


async def test_the_right_debit_comes_after_a_wrong_one(server: ServerProcess, httpserver: HTTPServer) -> None:
    """Of the same mandate, request and day, with another amount."""
    said = {"statuscode": "01", "status": "Approved", "amount": "10000.50"}
    httpserver.expect_request(DEBIT).respond_with_json(said)
    await server.hook("remita/collection-notification", debit("01/02/2026", amount="1"))
    await until(lambda: collections(server), lambda found: found and found[0]["status"] == "mismatch")
    await server.hook("remita/collection-notification", debit("01/02/2026"))
    (kept,) = await until(lambda: collections(server), lambda found: found[0]["status"] == "confirmed")
    assert (kept["amount"], kept["incident"]) == ("10000.5", None)


async def test_a_browser_does_not_give_an_account_another_reference(
    server: ServerProcess, httpserver: HTTPServer
) -> None:
    """Whoever connects an account of their own may come back with a victim's reference: that is told as unproven."""
    httpserver.expect_request("/v2/accounts/auth").respond_with_json({"data": {"id": "acc_1"}})
    connected = {"id": "acc_1", "meta": {"ref": "order-1"}}
    event = {"event": "mono.events.account_connected", "event_id": "e1", "data": connected}
    assert (await server.hook("mono/callback", event, MONO)).status == 200
    await server.settled()
    for code, reference in (("code_1", "victim"), ("code_2", "order-1"), ("code_3", "victim")):
        reply = await server.request("GET", f"/api/webhooks/mono/callback?code={code}&reference={reference}")
        assert reply.status == 200, reply.body
        await server.settled()
    (account,) = await listed(server, "GetMonoAccountListQuery")
    assert account["reference"] == "order-1"
    told = await events(server, "mono.connection_connected")
    assert sorted((one["reference"], one["isReferenceProven"]) for one in told) == [
        ("order-1", True),
        ("victim", False),
        ("victim", False),
    ]


def debit(day: str, amount: str = "10000.50") -> dict[str, Any]:
    line = {"mandateId": "1", "requestId": "2", "debitDate": day, "amount": amount}
    return {"notificationType": "DEBIT", "lineItems": [line]}


async def payment(server: ServerProcess, status: str) -> Any:
    """Return Remita's one payment when it has the status."""
    found = await until(lambda: listed(server, "GetRemitaPaymentListQuery"), lambda p: p and p[0]["status"] == status)
    (one,) = found
    return one


async def tell(server: ServerProcess, event_id: str, told: dict[str, Any]) -> None:
    event = {"event": "direct_debit.payment_successful", "event_id": event_id, "data": {"object": told}}
    assert (await server.hook("mono/callback", event, MONO)).status == 200


async def mono_payment(server: ServerProcess) -> Any:
    found = await listed(server, "GetMonoPaymentListQuery")
    return found[0] if found else None


async def collections(server: ServerProcess) -> Any:
    return await listed(server, "GetRemitaCollectionListQuery", sortBy="id", sortDirection="asc")


async def events(server: ServerProcess, name: str) -> list[Any]:
    return [event["data"] for event in await listed(server, "GetEventListQuery", event=name)]


async def listed(server: ServerProcess, query: str, **fields: Any) -> Any:
    return (await server.cmd(query, **fields))["items"]
