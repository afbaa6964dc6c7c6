"""Mono's payments and debits: kept once, confirmed by asking back, found and added up."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from bpm.app.settings import load_settings
from bpm.bus.tables import SCHEDULED
from bpm.clock import system_clock
from bpm.errors import Failed, Forbidden, Invalid, NotFound, Unavailable
from bpm.jobs.factory import open_jobs
from bpm.settings import Settings
from bpm.testing import until
from tests.commands.payments.conftest import OPERATOR, VIEWER, PaymentsSender

pytestmark = pytest.mark.anyio

PATH = "mono/callback"
REFERENCE = "order-4711-1"
VERIFY = f"/v2/payments/verify/{REFERENCE}"
PAID = {"status": "successful", "reference": REFERENCE, "amount": 2500075, "fee": 12500, "currency": "NGN"}
KEY = {"mono-sec-key": "test_sk"}


def answer(**changes: Any) -> dict[str, Any]:
    """Return Mono's answer; the `status` beside `data` is that of the question."""
    return {"status": "successful", "message": "Payment retrieved", "data": {**PAID, **changes}}


async def confirm(payments: PaymentsSender, reference: str = REFERENCE) -> Any:
    return await payments.result("ConfirmMonoPaymentCommand", reference=reference)


async def waiting(payments: PaymentsSender) -> Any:
    statement = SCHEDULED.select().where(SCHEDULED.c.state == "waiting").order_by(SCHEDULED.c.created_at)
    return await payments.database.read(lambda tx: tx.connection.execute(statement).all())


async def told(payments: PaymentsSender) -> None:
    await payments.recorded(PATH, "mono_direct_debit_payment_successful")


async def debited(
    payments: PaymentsSender, number: int, event: str = "events.mandates.debit.successful", **data: Any
) -> None:
    body = {"event": event, "event_id": f"e{number}", "data": {"reference_number": f"r{number}", **data}}
    await payments.receive(PATH, json.dumps(body).encode())


async def test_a_payment_that_was_made_is_confirmed(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """Mono is asked by the reference; the same amount confirms, once and for all."""
    await told(payments)
    (kept,) = await payments.listed("GetMonoPaymentListQuery", status="unconfirmed")
    assert (kept["reference"], kept["amount"], kept["fee"], kept["currency"]) == (REFERENCE, "2500075", "12500", "NGN")
    assert [row.fields for row in await waiting(payments)] == [{"reference": REFERENCE}]
    httpserver.expect_oneshot_request(VERIFY, "GET", headers=KEY).respond_with_json(answer(amount=2500075.0))
    view = await confirm(payments)
    assert (view.status, view.confirmed_amount, view.incident) == ("confirmed", Decimal(2500075), None)
    (kept,) = await payments.listed("GetMonoPaymentListQuery", status="confirmed")
    assert (kept["providerStatus"], kept["checks"], kept["confirmedAt"] is not None) == ("successful", 1, True)
    (event,) = await payments.events("mono.payment_confirmed")
    assert (event["reference"], event["amount"], event["confirmedAmount"]) == (REFERENCE, "2500075", "2500075")
    httpserver.expect_request(VERIFY).respond_with_json(answer(amount=1))
    assert (await confirm(payments)).status == "confirmed"


async def test_a_debit_is_asked_about_under_its_mandate(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """What stands in the address is escaped, whatever Mono's names hold."""
    await debited(payments, 1, mandate="mmc_1/../x", amount=20000, reference_number="a b?")
    httpserver.expect_request("/v3/payments/mandates/mmc_1/../x/debits/a b?").respond_with_json(
        {"status": "successful", "data": {"status": "successful", "amount": 20000}}
    )
    assert (await confirm(payments, "a b?")).status == "confirmed"
    raw = httpserver.log[0][0].environ["REQUEST_URI"]
    assert raw == "/v3/payments/mandates/mmc_1%2F..%2Fx/debits/a%20b%3F"


@pytest.mark.parametrize(
    ("changes", "incident"),
    [
        ({"amount": 2500074}, "2500075 was told of but 2500074 was paid"),
        ({"amount": None}, "not how much"),
        ({"currency": "GHS"}, "NGN was told of but GHS was paid"),
    ],
)
async def test_what_does_not_fit_is_an_incident(
    payments: PaymentsSender, httpserver: HTTPServer, changes: dict[str, Any], incident: str
) -> None:
    """It is told, and a later answer may mend it."""
    await told(payments)
    httpserver.expect_oneshot_request(VERIFY).respond_with_json(answer(**changes))
    view = await confirm(payments)
    assert (view.status, incident in view.incident) == ("mismatch", True)
    assert len(await payments.events("mono.payment_mismatch")) == 1
    httpserver.expect_request(VERIFY).respond_with_json(answer(currency="ngn"))
    assert (await confirm(payments)).incident is None


@pytest.mark.parametrize(("status", "said"), [(200, "processing"), (200, "failed"), (404, "404")])
async def test_what_is_never_made_is_an_incident(
    payments: PaymentsSender, httpserver: HTTPServer, status: int, said: str
) -> None:
    """It is asked about five times more, and told once; the status of the question is not the payment's."""
    await told(payments)
    httpserver.expect_request(VERIFY).respond_with_json(answer(status=said), status=status)
    view = [await confirm(payments) for _ in range(8)][-1]
    assert (view.status, f"it said {said}" in view.incident) == ("unconfirmed", True)
    assert len(await waiting(payments)) == 1 + 5
    assert len(await payments.events("mono.payment_unconfirmed")) == 1


@pytest.mark.parametrize(
    "body",
    ["<html>", "{}", "[]", '{"status":"successful"}', '{"data":{"status":true}}', '{"data":{"status":{}}}']
    + [json.dumps(answer(amount=amount)) for amount in ("much", -1, "1e400", [1])]
    + [json.dumps(answer(reference="another"))],
)
async def test_what_can_not_be_believed_confirms_nothing(
    payments: PaymentsSender, httpserver: HTTPServer, body: str
) -> None:
    """Garbage and answers about something else fail, to be tried again."""
    await told(payments)
    httpserver.expect_request(VERIFY).respond_with_data(body)
    with pytest.raises(Unavailable):
        await confirm(payments)
    assert len(await payments.listed("GetMonoPaymentListQuery", status="unconfirmed")) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_question_names_the_settings(
    payments: PaymentsSender, httpserver: HTTPServer, status: int
) -> None:
    await told(payments)
    httpserver.expect_request(VERIFY).respond_with_json({}, status=status)
    with pytest.raises(Failed, match="BPM_MONO__SECRET_KEY"):
        await confirm(payments)


async def test_who_may_ask_and_about_what(payments: PaymentsSender) -> None:
    """The installation, and only about what was told of."""
    with pytest.raises(NotFound, match="reference"):
        await confirm(payments)
    for principal in (VIEWER, replace(OPERATOR, organization_id=2)):
        with pytest.raises(Forbidden):
            await payments.result("ConfirmMonoPaymentCommand", principal, reference=REFERENCE)


async def test_only_what_was_paid_is_a_payment(payments: PaymentsSender) -> None:
    """Once for each reference; failures, other events and what has no reference that can be asked about are events."""
    await debited(payments, 1, amount=5)
    await debited(payments, 2, amount=5, reference_number="r1")
    await debited(payments, 3, "events.mandates.debit.failed", amount=5)
    await debited(payments, 4, amount=5, reference_number=None)
    await debited(payments, 5, amount=5, reference_number="x" * 201)
    await debited(payments, 6, amount="much", reference_number="r6\u0000")
    found = await payments.listed("GetMonoPaymentListQuery")
    assert [(payment["reference"], payment["amount"]) for payment in found] == [("r1", "5"), ("r6", None)]


async def test_no_event_passes_for_a_confirmation(payments: PaymentsSender) -> None:
    """Whoever has the webhook's secret can say that a payment was made, and not that Mono was asked."""
    for number, name in enumerate(("payment_confirmed", "mono.events.payment_mismatch", "events.connection_connected")):
        await debited(payments, number, name)
    found = [event["event"] for event in await payments.listed("GetEventListQuery")]
    assert found == [
        "mono.events.payment_confirmed",
        "mono.events.payment_mismatch",
        "mono.events.connection_connected",
    ]


async def test_payments_are_found_and_added_up(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """By amount and currency, and by days in Lagos; each currency by itself."""
    days = ("2026-02-11T22:30:00Z", "2026-02-11T23:30:00Z", "2026-02-12T10:00:00Z", "2026-02-12T11:00:00Z")
    currencies = ("NGN", "ngn", "GHS", None)
    for number, (day, currency) in enumerate(zip(days, currencies, strict=True)):
        data = {"reference": f"p{number}", "amount": 10 + number, "currency": currency}
        body = {"event": "direct_debit.payment_successful", "event_id": f"e{number}", "timestamp": day}
        await payments.receive(PATH, json.dumps({**body, "data": {"object": data}}).encode())
    httpserver.expect_request("/v2/payments/verify/p1").respond_with_json(
        {"data": {"status": "successful", "amount": 11, "currency": "NGN"}}
    )
    await confirm(payments, "p1")

    async def found(**fields: Any) -> list[str]:
        return [payment["reference"] for payment in await payments.listed("GetMonoPaymentListQuery", **fields)]

    assert await found(currency="ngn") == ["p0", "p1"]
    assert await found(amount="12.00") == ["p2"]
    assert await found(amount=10, currency="GHS") == []
    assert await found(since=days[1], until=days[3], status="unconfirmed") == ["p2"]
    period = {"since": "2026-02-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"}
    sums = await payments.send("GetMonoReconciliationQuery", VIEWER, **period)
    assert [(day["day"], day["currency"], day["notified"]["amount"]) for day in sums["days"]] == [
        ("2026-02-11", "NGN", "10"),
        ("2026-02-12", None, "13"),
        ("2026-02-12", "GHS", "12"),
        ("2026-02-12", "NGN", "11"),
    ]
    assert [(total["currency"], total["notified"]["count"]) for total in sums["totals"]] == [
        (None, 1),
        ("GHS", 1),
        ("NGN", 2),
    ]
    assert sums["totals"][2]["confirmed"] == {"count": 1, "amount": "11", "unknown": 0}
    with pytest.raises(Invalid, match="at most 93 days"):
        await payments.send("GetMonoReconciliationQuery", VIEWER, **{**period, "until": "2026-12-01"})


async def test_the_worker_confirms_what_was_told(
    payments: PaymentsSender, httpserver: HTTPServer, settings: Settings
) -> None:
    """Without anybody's doing."""
    httpserver.expect_request(VERIFY).respond_with_json(answer())
    await told(payments)
    jobs = open_jobs(payments.database, settings, system_clock)
    await jobs.start(payments.bus.scheduled)
    await until(lambda: payments.listed("GetMonoPaymentListQuery", status="confirmed"), seconds=60)
    await jobs.drain(5)
    assert len(await payments.events("mono.payment_confirmed")) == 1


class TestWithoutKey:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        return load_settings(data_dir=tmp_path, mono={"webhook_secret": "s"})

    async def test_nothing_is_asked(self, payments: PaymentsSender) -> None:
        """Asking by hand names the setting."""
        await told(payments)
        assert await waiting(payments) == []
        with pytest.raises(Failed, match="BPM_MONO__SECRET_KEY"):
            await confirm(payments)
