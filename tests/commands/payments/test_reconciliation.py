"""Payments are found by time and amount and add up exactly; Mono's events say what they tell of money."""

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from bpm.errors import Invalid
from tests.commands.payments.conftest import OPERATOR, VIEWER, PaymentsSender
from tests.commands.payments.test_remita_payments import PAID, RRR, STATUS_PATH

pytestmark = pytest.mark.anyio

FEBRUARY = {"since": "2026-02-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"}


async def notified(payments: PaymentsSender, *told: tuple[str, Any, str | None]) -> None:
    body = [{"rrr": rrr, "amount": amount, "transactiondate": date} for rrr, amount, date in told]
    await payments.receive("remita", json.dumps(body).encode())


async def added_up(payments: PaymentsSender, **fields: Any) -> Any:
    return await payments.send("GetRemitaReconciliationQuery", VIEWER, **{**FEBRUARY, **fields})


async def test_days_add_up_to_the_kobo(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """Days are Lagos's: what is paid at 23:30 UTC belongs to the next one. An unknown amount is said, not guessed."""
    await notified(
        payments,
        (RRR, "16000.25", "2026-02-11 09:16:33"),
        ("2", "0.1", "2026-02-12 00:30:00"),
        ("3", "0.2", "2026-02-11 23:59:59"),
        ("4", None, "2026-02-12 10:00:00"),
        ("5", "7", "2026-03-02 10:00:00"),
    )
    httpserver.expect_request(STATUS_PATH).respond_with_json(PAID)
    await payments.result("ConfirmRemitaPaymentCommand", OPERATOR, rrr=RRR)
    found = await added_up(payments)
    first, second = found["days"]
    assert (first["day"], first["notified"]) == ("2026-02-11", {"count": 2, "amount": "16000.45", "unknown": 0})
    assert first["confirmed"] == {"count": 1, "amount": "16000.25", "unknown": 0}
    assert (second["day"], second["unconfirmed"]) == ("2026-02-12", {"count": 2, "amount": "0.1", "unknown": 1})
    assert found["total"]["notified"] == {"count": 4, "amount": "16000.55", "unknown": 1}


@pytest.mark.parametrize("amount", ["20000", "20000.0", "20000.000000", 20000])
async def test_an_amount_is_found_however_it_is_written(payments: PaymentsSender, amount: Any) -> None:
    """Digit for digit, and nothing that only looks alike; an amount beyond a double's digits, too."""
    for rrr, stored in (("1", "20,000.00"), ("2", "20000.01"), ("3", 20000), ("4", "200000")):
        await notified(payments, (rrr, stored, None))
    await payments.result(
        "ProcessRemitaPaymentNotificationCommand", notifications=[{"rrr": "5", "amount": "20000.00"}, {"rrr": "6"}]
    )
    found = await payments.listed("GetRemitaPaymentListQuery", amount=amount)
    assert [payment["rrr"] for payment in found] == ["1", "3", "5"]
    await notified(payments, ("7", "123456789012345678.901", None), ("8", "123456789012345678.902", None))
    assert await payments.listed("GetRemitaPaymentListQuery", amount="9" * 18) == []
    (large,) = await payments.listed("GetRemitaPaymentListQuery", amount="123456789012345678.9010")
    assert large["rrr"] == "7"


async def test_times_bound_the_list(payments: PaymentsSender) -> None:
    """The transaction's time counts, or the notification's; the end is not part of it."""
    await notified(payments, ("1", 5, "2026-01-31 23:00:00"), ("2", 5, "2026-02-01 01:00:00"), ("3", 5, None))
    since, until = "2026-01-31T22:00:00Z", "2026-02-01T00:00:00Z"
    (first,) = await payments.listed("GetRemitaPaymentListQuery", since=since, until=until)
    assert first["rrr"] == "1"
    later = await payments.listed("GetRemitaPaymentListQuery", since=until)
    assert [payment["rrr"] for payment in later] == ["2", "3"]


@pytest.mark.parametrize(
    "times",
    [{"until": "2026-02-01T00:00:00Z"}, {"until": "2026-05-06T00:00:01Z"}, {"since": "2027-01-01T00:00:00Z"}],
)
async def test_time_runs_forward_and_not_too_far(payments: PaymentsSender, times: dict[str, str]) -> None:
    """Otherwise a sentence says what is asked for."""
    with pytest.raises(Invalid, match="at most 93 days"):
        await added_up(payments, **times)


DEBIT = {
    "event": "events.mandates.debit.successful",
    "event_id": "evt_debit_2",
    "data": {
        "status": "successful",
        "amount": 20000,
        "fee": 100,
        "mandate": "mmc_1",
        "reference_number": "ref-1",
        "account_details": {"bank_name": "GTB", "account_number": "0987654321"},
    },
}
"""A debit under a mandate, as https://docs.mono.co/docs/payments/direct-debit/webhook-events describes it."""


async def test_mono_s_events_say_what_they_tell_of_money(payments: PaymentsSender) -> None:
    """A payment's and a debit's amount, a mandate's id, and nothing of an account's number."""
    for name in ("mono_account_connected", "mono_direct_debit_payment_successful", "mono_mandate_ready"):
        await payments.recorded("mono/callback", name)
    await payments.receive("mono/callback", json.dumps(DEBIT).encode())
    found = await payments.listed("GetMonoEventListQuery")
    told = [(each["reference"], each["mandateId"], each["amount"], each["fee"], each["currency"]) for each in found]
    assert told == [
        (None, None, None, None, None),
        ("order-4711-1", None, "2500075", "12500", "NGN"),
        ("MANDATE-1", "mmc_69a5550000", "200020", None, None),
        ("ref-1", "mmc_1", "20000", "100", None),
    ]
    assert "0987654321" not in str(found)
    (debit,) = await payments.listed("GetMonoEventListQuery", event="mono.mandates.debit.successful")
    assert (debit["event"], debit["status"]) == (DEBIT["event"], "successful")
    assert await payments.listed("GetMonoEventListQuery", until=debit["createdAt"], event=debit["publishedAs"]) == []
