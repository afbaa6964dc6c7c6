"""Remita's payments: kept once, confirmed by asking back."""

import asyncio
import hashlib
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from bpm.app import Components
from bpm.app.settings import load_settings
from bpm.bus.tables import SCHEDULED
from bpm.clock import system_clock
from bpm.errors import Failed, Forbidden, Invalid, NotFound, Unavailable
from bpm.jobs.factory import open_jobs
from bpm.settings import Settings
from bpm.testing import until
from router.providers.client import ProviderClient
from tests.commands.payments.conftest import OPERATOR, STRANGER, VIEWER, PaymentsSender

pytestmark = pytest.mark.anyio

RRR = "110002071256"
HASH = hashlib.sha512(f"{RRR}19462547916".encode()).hexdigest()
STATUS_PATH = f"/2547916/{RRR}/{HASH}/status.reg"
PAID = {"status": "00", "message": "Approved", "amount": 16000.25, "RRR": RRR, "orderId": "0098-1"}


async def test_recorded_payments_are_kept(payments: PaymentsSender) -> None:
    """Each payment of the array is kept unconfirmed with its exact amount, and published."""
    view = await payments.recorded("remita", "remita_payments")
    assert (view.accepted, view.duplicates, view.rejected) == (2, 0, 0)
    first, second = await payments.listed("GetRemitaPaymentListQuery")
    assert (first["rrr"], first["amount"], first["status"]) == (RRR, "16000.25", "unconfirmed")
    assert first["transactionDate"] == "2026-02-11T09:16:33.000Z"
    assert first["customFields"] == [{"description": "Plan", "value": "Gold"}, {"description": "Months", "value": "12"}]
    assert (second["rrr"], second["amount"], second["channel"]) == ("130007612345", "20000", "USSD")
    told = await payments.events("remita.payment_notified")
    assert [(t["rrr"], t["amount"], t["status"]) for t in told] == [
        (RRR, "16000.25", "unconfirmed"),
        ("130007612345", "20000", "unconfirmed"),
    ]
    assert told[0]["requestId"] == first["requestId"]


async def test_an_rrr_counts_once(payments: PaymentsSender) -> None:
    """The same RRR, in one request or in two, with dashes or without, is one payment."""
    first = await payments.receive("remita", b'[{"rrr": "1-2", "amount": 5}, {"rrr": "12", "amount": 6}]')
    second = await payments.receive("remita", b'{"rrr": "12", "amount": 7}')
    assert (first.accepted, first.duplicates) == (1, 1)
    assert (second.accepted, second.duplicates) == (0, 1)
    assert [p["amount"] for p in await payments.listed("GetRemitaPaymentListQuery")] == ["5"]
    assert len(await payments.events("remita.*")) == 1


async def test_one_rrr_in_two_organisations_is_two_payments(payments: PaymentsSender) -> None:
    """Neither hides the other; only the installation, whose merchant Remita knows, has its own asked back."""
    for number in (2, 1):
        principal = replace(OPERATOR, organization_id=number)
        fields = {"notifications": [{"rrr": RRR}], "rejected": []}
        await payments.result("ProcessRemitaPaymentNotificationCommand", principal, **fields)
        assert (await payments.bus.send(payments.message("GetRemitaPaymentListQuery"), principal)).total_count == 1
    assert [(row.organization_id, row.fields["rrr"]) for row in await waiting(payments)] == [(1, RRR)]


async def test_notifications_at_once_count_once(payments: PaymentsSender) -> None:
    """Twenty notifications of one RRR at the same time are one payment."""
    views = await asyncio.gather(*(payments.receive("remita", b'{"rrr": "77"}') for _ in range(20)))
    assert sum(view.accepted for view in views) == 1
    assert len(await payments.listed("GetRemitaPaymentListQuery")) == 1


async def test_rejected_elements_are_recorded(payments: PaymentsSender) -> None:
    """An invalid element is listed with position and cause and published, and the others are kept."""
    view = await payments.receive("remita", b'[{"rrr": "1"}, {"amount": 1}, {"rrr": "2", "amount": "much"}]')
    assert (view.accepted, view.rejected) == (1, 2)
    rejected = await payments.listed("GetRemitaRejectionListQuery", kind="payment")
    assert [(r["position"], r["cause"].partition(":")[0]) for r in rejected] == [(1, "rrr"), (2, "amount")]
    (told,) = await payments.events("remita.payment_rejected")
    assert told["requestId"] == rejected[0]["requestId"]
    assert len(told["elements"]) == 2


async def test_amounts_are_not_rounded(payments: PaymentsSender) -> None:
    """An amount that no float holds is kept, listed and published to the last digit."""
    await payments.receive("remita", b'{"rrr": "1", "amount": 123456789012345678.123456}')
    (payment,) = await payments.listed("GetRemitaPaymentListQuery")
    (told,) = await payments.events("remita.payment_notified")
    assert payment["amount"] == told["amount"] == "123456789012345678.123456"


async def test_clients_can_send_and_search(payments: PaymentsSender) -> None:
    """A client's own notification is validated field by field, and found again by its payer."""
    await payments.result("ProcessRemitaPaymentNotificationCommand", notifications=[{"rrr": "1", "payerName": "Ada"}])
    assert len(await payments.listed("GetRemitaPaymentListQuery", searchText="ada")) == 1
    assert await payments.listed("GetRemitaPaymentListQuery", status="confirmed") == []
    with pytest.raises(Invalid) as caught:
        payments.message(
            "ProcessRemitaPaymentNotificationCommand", notifications=[{"rrr": "", "amount": "x", "nope": 1}]
        )
    assert len(caught.value.errors) == 3


async def test_permissions_are_asked_for(payments: PaymentsSender) -> None:
    """Neither a viewer may write nor a stranger read."""
    with pytest.raises(Forbidden):
        await payments.result("ConfirmRemitaPaymentCommand", VIEWER, rrr="1")
    with pytest.raises(Forbidden):
        await payments.result("GetRemitaPaymentListQuery", STRANGER)


@pytest.mark.parametrize("status", ["00", "01"])
async def test_a_paid_payment_is_confirmed(payments: PaymentsSender, httpserver: HTTPServer, status: str) -> None:
    """Remita is asked with the documented hash, and a paid payment of the notified amount is confirmed."""
    await payments.recorded("remita", "remita_payments")
    credentials = {"Authorization": f"remitaConsumerKey=2547916,remitaConsumerToken={HASH}"}
    httpserver.expect_oneshot_request(STATUS_PATH, "GET", headers=credentials).respond_with_json(
        {**PAID, "status": status}
    )
    view = await confirm(payments, "110-0020-71256")
    assert (view.status, view.confirmed_amount, view.incident) == ("confirmed", Decimal("16000.25"), None)
    (payment,) = await payments.listed("GetRemitaPaymentListQuery", status="confirmed")
    assert (payment["providerStatus"], payment["providerMessage"], payment["checks"]) == (status, "Approved", 1)
    assert payment["confirmedAt"] is not None
    (told,) = await payments.events("remita.payment_confirmed")
    assert (told["rrr"], told["orderId"], told["confirmedAmount"]) == (RRR, "0098-1", "16000.25")


async def test_a_confirmed_payment_stays_confirmed(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """Asking again neither changes a confirmed payment nor publishes it a second time."""
    await payments.recorded("remita", "remita_payments")
    answers(httpserver, PAID)
    await confirm(payments)
    httpserver.clear()
    answers(httpserver, {**PAID, "amount": 1})
    assert (await confirm(payments)).status == "confirmed"
    assert len(await payments.events("remita.payment_confirmed")) == 1
    assert await payments.events("remita.payment_mismatch") == []


async def test_an_answer_wrapped_as_a_script_is_read(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """The `jsonp (…)` of some of Remita's servers is taken off."""
    await payments.recorded("remita", "remita_payments")
    httpserver.expect_request(STATUS_PATH).respond_with_data(
        'jsonp ({"status": "00", "amount": "16,000.25", "RRR": "110-0020-71256"})'
    )
    assert (await confirm(payments)).status == "confirmed"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({**PAID, "amount": 16000.24}, "16000.25 was notified but 16000.24 was paid"),
        ({"status": "00"}, "not how much"),
    ],
)
async def test_amounts_that_differ_are_an_incident(
    payments: PaymentsSender, httpserver: HTTPServer, answer: dict[str, Any], sentence: str
) -> None:
    """A paid payment whose amount differs or is not named is a mismatch, recorded and published."""
    await payments.recorded("remita", "remita_payments")
    answers(httpserver, answer)
    view = await confirm(payments)
    assert view.status == "mismatch"
    assert sentence in view.incident
    (payment,) = await payments.listed("GetRemitaPaymentListQuery", status="mismatch")
    assert sentence in payment["incident"]
    assert payment["confirmedAt"] is None
    (told,) = await payments.events("remita.payment_mismatch")
    assert sentence in told["incident"]
    assert await payments.events("remita.payment_confirmed") == []


@pytest.mark.parametrize("amount", [{}, {"amount": "16000.25"}], ids=["no amount", "its amount"])
async def test_a_payment_of_one_order_does_not_pay_another(
    payments: PaymentsSender, httpserver: HTTPServer, amount: dict[str, str]
) -> None:
    """Whoever notifies a paid RRR with somebody else's order has nothing confirmed."""
    fields = {"rrr": RRR, "orderId": "somebody-else-s", **amount}
    await payments.result("ProcessRemitaPaymentNotificationCommand", notifications=[fields])
    answers(httpserver, PAID)
    view = await confirm(payments)
    assert (view.status, view.confirmed_amount) == ("mismatch", Decimal("16000.25"))
    assert view.incident == "it was notified for the order somebody-else-s but paid for 0098-1"
    assert await payments.events("remita.payment_confirmed") == []


async def test_a_notification_without_order_takes_remitas(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """Where no order was notified, the one that Remita names is published and shown."""
    await payments.receive("remita", b'{"rrr": "%s", "amount": 16000.25}' % RRR.encode())
    answers(httpserver, PAID)
    assert (await confirm(payments)).status == "confirmed"
    (told,) = await payments.events("remita.payment_confirmed")
    (payment,) = await payments.listed("GetRemitaPaymentListQuery", status="confirmed")
    assert told["orderId"] == payment["orderId"] == "0098-1"


async def test_a_mismatch_can_be_cleared(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """A mismatch that Remita sets right is confirmed when it is asked again."""
    await payments.recorded("remita", "remita_payments")
    answers(httpserver, {**PAID, "amount": 1})
    await confirm(payments)
    httpserver.clear()
    answers(httpserver, PAID)
    view = await confirm(payments)
    assert (view.status, view.incident) == ("confirmed", None)


async def test_a_notification_without_amount_takes_remitas(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """Where no amount was notified, the one that Remita names is the confirmed one."""
    await payments.receive("remita", b'{"rrr": "%s"}' % RRR.encode())
    answers(httpserver, PAID)
    view = await confirm(payments)
    assert (view.status, view.confirmed_amount) == ("confirmed", Decimal("16000.25"))


async def test_unpaid_is_asked_again_later(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """A payment that is not made yet stays unconfirmed, shows what Remita said, and is asked about again."""
    await payments.recorded("remita", "remita_payments")
    before = len(await waiting(payments))
    answers(httpserver, {"status": "021", "message": "Transaction Pending", "RRR": RRR})
    view = await confirm(payments)
    assert (view.status, view.provider_status, view.provider_message) == ("unconfirmed", "021", "Transaction Pending")
    later = (await waiting(payments))[before:]
    assert len(later) == 1
    assert (later[0].due_at - payments.bus.now()).total_seconds() == pytest.approx(120, abs=10)


async def test_unpaid_is_not_asked_about_for_ever(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """After the last wait a payment that was never made is left unconfirmed, with an incident that is told once."""
    await payments.recorded("remita", "remita_payments")
    answers(httpserver, {"status": "021"})
    view = [await confirm(payments) for _ in range(8)][-1]
    assert (view.status, "it said 021" in str(view.incident)) == ("unconfirmed", True)
    assert len(await waiting(payments)) == 2 + 5
    (told,) = await payments.events("remita.payment_unconfirmed")
    assert (told["rrr"], told["incident"]) == (RRR, view.incident)
    httpserver.clear()
    answers(httpserver, PAID)
    assert (await confirm(payments)).incident is None
    assert len(await payments.events("remita.payment_confirmed")) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "oops"),
        (503, "{}"),
        (429, "{}"),
        (200, ""),
        (200, "<html>"),
        (200, "[]"),
        (200, "{}"),
        (200, '{"status": {"a": 1}}'),
        (200, '{"status": "00", "amount": "much"}'),
        (200, '{"status": "00", "amount": 16000.25, "RRR": "999"}'),
        (200, "[" * 50_000),
        (200, "x" * 100_000),
    ],
)
async def test_what_can_not_be_believed_confirms_nothing(
    payments: PaymentsSender, httpserver: HTTPServer, status: int, body: str
) -> None:
    """Errors, garbage, endless answers and answers about another RRR fail, to be tried again."""
    await payments.recorded("remita", "remita_payments")
    httpserver.expect_request(STATUS_PATH).respond_with_data(body, status=status)
    with pytest.raises(Unavailable):
        await confirm(payments)
    assert len(await payments.listed("GetRemitaPaymentListQuery", status="unconfirmed")) == 2


async def test_a_refused_question_names_the_settings(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """When Remita refuses the question, or sends it elsewhere, the error names what to check."""
    for status in (302, 401, 404):
        httpserver.clear()
        httpserver.expect_request(STATUS_PATH).respond_with_data("", status=status, headers={"Location": "/elsewhere"})
        with pytest.raises(Failed, match=f"{status}.*BPM_REMITA__BASE_URL"):
            await confirm(payments)
        assert len(httpserver.log) == 1


@pytest.mark.parametrize("status", ["020", "023"])
async def test_an_answer_about_the_merchant_is_none_about_the_payment(
    payments: PaymentsSender, httpserver: HTTPServer, status: str
) -> None:
    """Wrong credentials are told at once, and not after a day of asking as a payment that was not made."""
    await payments.recorded("remita", "remita_payments")
    httpserver.expect_request(STATUS_PATH).respond_with_json({"status": status, "message": "Invalid", "RRR": RRR})
    with pytest.raises(Failed, match=f"{status}.*BPM_REMITA__BASE_URL"):
        await confirm(payments)


async def test_a_slow_answer_is_given_up(
    payments: PaymentsSender, components: Components, httpserver: HTTPServer
) -> None:
    """An answer that takes too long, or drips, is given up in time."""
    impatient = replace(components, provider_client=ProviderClient(timeout_seconds=1))
    payments.bus.registry.bind(*impatient.services())

    def slow(_request: Request) -> Response:
        def drip() -> Any:
            for _ in range(100):
                time.sleep(0.1)
                yield b" "

        return Response(drip())

    httpserver.expect_request(STATUS_PATH).respond_with_handler(slow)
    with pytest.raises(Unavailable, match="no answer within"):
        await confirm(payments)
    await impatient.provider_client.close()


async def test_a_server_that_is_away_is_tried_again(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """A refused connection is a failure to be tried again."""
    httpserver.stop()
    try:
        with pytest.raises(Unavailable, match="can't be asked"):
            await confirm(payments)
    finally:
        httpserver.start()


@pytest.mark.parametrize("status", [401, 503])
async def test_a_question_without_an_answer_is_asked_again_for_weeks(
    payments: PaymentsSender, httpserver: HTTPServer, status: int
) -> None:
    """Its job is given up after 72 minutes; nobody asked any more."""
    await payments.receive("remita", b'{"rrr": "%s", "amount": "16000.25"}' % RRR.encode())
    httpserver.expect_request(STATUS_PATH).respond_with_json({}, status=status)
    for _ in range(2):
        with pytest.raises((Failed, Unavailable)):
            await confirm(payments)
    again = [row for row in await waiting(payments) if row.due_at - row.created_at == timedelta(hours=6)]
    assert 1 <= len(again) <= 2  # two where six hours have begun between the questions
    assert again[0].fields == {"rrr": RRR}
    httpserver.clear()
    answers(httpserver, PAID)
    assert (await confirm(payments)).status == "confirmed"


async def test_an_unknown_rrr_is_not_found(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """A payment that nobody notified can't be confirmed."""
    answers(httpserver, PAID)
    with pytest.raises(NotFound, match="rrr"):
        await confirm(payments)
    with pytest.raises(Invalid, match="rrr"):
        payments.message("ConfirmRemitaPaymentCommand", rrr="../../admin")


async def test_the_worker_confirms_what_was_notified(
    payments: PaymentsSender, httpserver: HTTPServer, settings: Settings
) -> None:
    """After a notification the payment is confirmed without anybody's doing."""
    answers(httpserver, PAID)
    await payments.receive("remita", b'{"rrr": "%s", "amount": "16000.25"}' % RRR.encode())
    jobs = open_jobs(payments.database, settings, system_clock)
    await jobs.start(payments.bus.scheduled)
    await until(lambda: is_confirmed(payments))
    await jobs.drain(5)
    assert len(await payments.events("remita.payment_confirmed")) == 1


class TestWithoutCredentials:
    @pytest.fixture
    def settings(self, tmp_path: Any) -> Settings:
        return load_settings(data_dir=tmp_path, mono={"webhook_secret": "s"}, remita={"header_secret": "s"})

    async def test_nothing_is_asked(self, payments: PaymentsSender) -> None:
        """Without credentials no confirmation is asked for, and asking by hand names the settings."""
        await payments.recorded("remita", "remita_payments")
        assert await waiting(payments) == []
        with pytest.raises(Failed, match="BPM_REMITA__MERCHANT_ID"):
            await confirm(payments)


async def confirm(payments: PaymentsSender, rrr: str = RRR) -> Any:
    return await payments.result("ConfirmRemitaPaymentCommand", rrr=rrr)


async def waiting(payments: PaymentsSender) -> Any:
    statement = SCHEDULED.select().where(SCHEDULED.c.state == "waiting").order_by(SCHEDULED.c.created_at)
    return await payments.database.read(lambda tx: tx.connection.execute(statement).all())


async def is_confirmed(payments: PaymentsSender) -> bool:
    return bool(await payments.listed("GetRemitaPaymentListQuery", status="confirmed"))


def answers(httpserver: HTTPServer, answer: dict[str, Any]) -> None:
    httpserver.expect_request(STATUS_PATH, "GET").respond_with_json(answer)
