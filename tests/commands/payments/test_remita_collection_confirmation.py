"""Remita's mandates and debits, confirmed by asking back."""

import hashlib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from bpm.app.settings import load_settings
from bpm.bus.tables import SCHEDULED
from bpm.clock import system_clock
from bpm.errors import Failed, Forbidden, NotFound, Unavailable
from bpm.jobs.factory import open_jobs
from bpm.settings import Settings
from bpm.testing import until
from tests.commands.payments.conftest import OPERATOR, VIEWER, PaymentsSender

pytestmark = pytest.mark.anyio

PATH = "remita/collection-notification"
MANDATE, REQUEST = "180799091923", "73298"
HASH = hashlib.sha512(f"{MANDATE}2547916{REQUEST}1946".encode()).hexdigest()
QUESTION = {"merchantId": "2547916", "mandateId": MANDATE, "requestId": REQUEST, "hash": HASH}
DEBIT_PATH, MANDATE_PATH = "/mandate/payment/status", "/mandate/status"
MADE = {"statuscode": "01", "status": "Approved", "amount": "10000.50", "mandateId": MANDATE, "requestId": REQUEST}
ACTIVE = {"statuscode": "00", "status": "Successful", "isActive": True, "mandateId": MANDATE, "requestId": REQUEST}
DATES = {"ACTIVATION": "activationDate", "DEBIT": "debitDate", "REPAYMENT": "paymentDate"}


async def notify(payments: PaymentsSender, kind: str = "DEBIT", amount: str = "10000.5") -> None:
    line = (
        f'{{"mandateId": "{MANDATE}", "requestId": "{REQUEST}", "{DATES[kind]}": "03/05/2026", "amount": "{amount}"}}'
    )
    await payments.receive(PATH, f'{{"notificationType": "{kind}", "lineItems": [{line}]}}'.encode())


async def confirm(payments: PaymentsSender, kind: str = "DEBIT", **fields: Any) -> Any:
    named = {"notificationType": kind, "mandateId": MANDATE, "requestId": REQUEST, "date": "2026-05-03", **fields}
    return await payments.result("ConfirmRemitaCollectionCommand", **named)


async def waiting(payments: PaymentsSender) -> Any:
    statement = SCHEDULED.select().where(SCHEDULED.c.state == "waiting").order_by(SCHEDULED.c.created_at)
    return await payments.database.read(lambda tx: tx.connection.execute(statement).all())


async def test_a_debit_that_was_made_is_confirmed(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """Remita is asked with the documented hash; the same amount confirms, once and for all."""
    await notify(payments)
    httpserver.expect_oneshot_request(DEBIT_PATH, "POST", json=QUESTION).respond_with_json(MADE)
    view = await confirm(payments)
    assert (view.status, view.confirmed_amount, view.incident) == ("confirmed", Decimal("10000.50"), None)
    (kept,) = await payments.listed("GetRemitaCollectionListQuery", status="confirmed")
    assert (kept["providerStatus"], kept["providerMessage"], kept["checks"]) == ("01", "Approved", 1)
    assert kept["confirmedAt"] is not None
    (told,) = await payments.events("remita.collection_confirmed")
    assert (told["type"], told["mandateId"], told["mandateRequestId"]) == ("DEBIT", MANDATE, REQUEST)
    httpserver.expect_request(DEBIT_PATH).respond_with_json({**MADE, "amount": 1})
    assert (await confirm(payments)).status == "confirmed"
    assert len(await payments.events("remita.*")) == 2


async def test_ids_that_run_together_are_asked_about_each(payments: PaymentsSender) -> None:
    """The question about one debit does not stand for that about another whose ids have the colon elsewhere."""
    lines = ", ".join(
        f'{{"mandateId": "{mandate}", "requestId": "{request}", "debitDate": "03/05/2026", "amount": "1"}}'
        for mandate, request in (("1:2", "3"), ("1", "2:3"))
    )
    await payments.receive(PATH, f'{{"notificationType": "DEBIT", "lineItems": [{lines}]}}'.encode())
    asked = [(row.fields["mandateId"], row.fields["requestId"]) for row in await waiting(payments)]
    assert asked == [("1:2", "3"), ("1", "2:3")]


async def test_a_mandate_counts_while_it_is_active(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """The answer may be wrapped as a script; a mandate that is not active yet is asked about again."""
    await notify(payments, "ACTIVATION")
    inactive = '{"statuscode": "00", "isActive": false, "status": "Successful"}'
    httpserver.expect_oneshot_request(MANDATE_PATH, "POST", json=QUESTION).respond_with_data(f"jsonp ({inactive})")
    before = len(await waiting(payments))
    assert (await confirm(payments, "ACTIVATION")).status == "unconfirmed"
    assert len(await waiting(payments)) == before + 1
    httpserver.expect_request(MANDATE_PATH, "POST", json=QUESTION).respond_with_json(ACTIVE)
    assert (await confirm(payments, "ACTIVATION")).status == "confirmed"


@pytest.mark.parametrize(
    ("answer", "incident"),
    [({"amount": 9000}, "10000.5 was notified but 9000 was debited"), ({"amount": None}, "not how much")],
)
async def test_another_amount_is_an_incident(
    payments: PaymentsSender, httpserver: HTTPServer, answer: dict[str, Any], incident: str
) -> None:
    """It is told with both amounts, and a later answer may mend it."""
    await notify(payments)
    httpserver.expect_oneshot_request(DEBIT_PATH).respond_with_json({**MADE, **answer})
    view = await confirm(payments)
    assert (view.status, incident in view.incident) == ("mismatch", True)
    assert len(await payments.events("remita.collection_mismatch")) == 1
    httpserver.expect_request(DEBIT_PATH).respond_with_json(MADE)
    assert (await confirm(payments)).incident is None


async def test_what_never_happens_is_an_incident(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """It is asked about five times more, and told once."""
    await notify(payments)
    httpserver.expect_request(DEBIT_PATH).respond_with_json({"statuscode": "070", "status": "Awaiting Debit"})
    view = [await confirm(payments) for _ in range(8)][-1]
    assert (view.status, "it said 070" in view.incident) == ("unconfirmed", True)
    assert len(await waiting(payments)) == 1 + 5
    assert len(await payments.events("remita.collection_unconfirmed")) == 1


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        "{}",
        "[]",
        '{"statuscode": {"a": 1}}',
        '{"statuscode": "01", "amount": "much"}',
        '{"statuscode": "01", "amount": 10000.5, "mandateId": "999"}',
        '{"statuscode": "01", "amount": 10000.5, "requestId": "999"}',
    ],
)
async def test_what_can_not_be_believed_confirms_nothing(
    payments: PaymentsSender, httpserver: HTTPServer, body: str
) -> None:
    """Garbage and answers about something else fail, to be tried again."""
    await notify(payments)
    httpserver.expect_request(DEBIT_PATH).respond_with_data(body)
    with pytest.raises(Unavailable):
        await confirm(payments)
    assert len(await payments.listed("GetRemitaCollectionListQuery", status="unconfirmed")) == 1


@pytest.mark.parametrize(
    ("status", "body"), [(404, ""), (200, '{"statuscode": "013"}'), (200, '{"statuscode": "020"}')]
)
async def test_a_refused_question_names_the_settings(
    payments: PaymentsSender, httpserver: HTTPServer, status: int, body: str
) -> None:
    """Wrong credentials and a wrong address are nothing that trying again mends."""
    await notify(payments)
    httpserver.expect_request(DEBIT_PATH).respond_with_data(body, status=status)
    with pytest.raises(Failed, match="BPM_REMITA__MANDATE_URL"):
        await confirm(payments)


async def test_who_may_ask_and_about_what(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """The installation, and only about what was notified; repayments are kept and not asked about."""
    httpserver.expect_request(DEBIT_PATH).respond_with_json(MADE)
    with pytest.raises(NotFound, match="mandateId"):
        await confirm(payments)
    fields = {"notificationType": "DEBIT", "mandateId": MANDATE, "requestId": REQUEST, "date": "2026-05-03"}
    for principal in (VIEWER, replace(OPERATOR, organization_id=2)):
        with pytest.raises(Forbidden):
            await payments.result("ConfirmRemitaCollectionCommand", principal, **fields)
    await notify(payments, "REPAYMENT")
    assert await waiting(payments) == []
    await notify(payments)
    await notify(payments, "ACTIVATION")
    assert [row.fields["notificationType"] for row in await waiting(payments)] == ["DEBIT", "ACTIVATION"]


async def test_the_worker_confirms_what_was_notified(
    payments: PaymentsSender, httpserver: HTTPServer, settings: Settings
) -> None:
    """Without anybody's doing."""
    httpserver.expect_request(DEBIT_PATH).respond_with_json(MADE)
    await notify(payments)
    jobs = open_jobs(payments.database, settings, system_clock)
    await jobs.start(payments.bus.scheduled)

    async def confirmed() -> list[Any]:
        return await payments.listed("GetRemitaCollectionListQuery", status="confirmed")

    await until(confirmed, seconds=60)
    await jobs.drain(5)
    assert len(await payments.events("remita.collection_confirmed")) == 1


class TestWithoutCredentials:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        return load_settings(data_dir=tmp_path, mono={"webhook_secret": "s"}, remita={"header_secret": "s"})

    async def test_nothing_is_asked(self, payments: PaymentsSender) -> None:
        """Asking by hand names the settings."""
        await notify(payments)
        assert await waiting(payments) == []
        with pytest.raises(Failed, match="BPM_REMITA__MERCHANT_ID"):
            await confirm(payments)
