"""Names, accounts and details in Mono's events."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from router.providers.mono.catalogue import EVENTS
from router.providers.mono.events import MoneyTold, account_details, account_id, money_told, published_name
from tests.payloads import payload


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ("mono.events.account_connected", "mono.account_connected"),
        ("mono.events.webhook_test", "mono.webhook_test"),
        ("direct_debit.payment_successful", "mono.direct_debit.payment_successful"),
        ("events.mandates.ready", "mono.mandates.ready"),
        ("events.mandate.action.pause", "mono.mandate.action.pause"),
        ("events.mandates.debit_attempt.successful", "mono.mandates.debit_attempt.successful"),
        ("event.disbursement.completed", "mono.disbursement.completed"),
        ("event.disburse.account.enabled", "mono.disburse.account.enabled"),
        ("mono.transaction.dispute_initiated", "mono.transaction.dispute_initiated"),
        ("brand new/event", "mono.brand_new_event"),
        ("mono.", "mono.unnamed"),
        ("eventful.thing", "mono.eventful.thing"),
    ],
)
def test_an_event_is_published_under_a_plain_name(event: str, name: str) -> None:
    """The published name is `mono.` and the event's own part."""
    assert published_name(event) == name


@given(st.text(min_size=1, max_size=300))
def test_every_name_can_be_published(event: str) -> None:
    """Whatever Mono calls its events, the published name has the form of event names."""
    name = published_name(event)
    assert re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", name)
    assert len(name) <= 200


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("mono.account_connected", {"id": "a"}, "a"),
        ("mono.account_updated", {"account": {"_id": "a"}}, "a"),
        ("mono.account_updated", {"account": {"id": "a"}}, "a"),
        ("mono.reauthorisation_required", {"account": "a"}, "a"),
        ("mono.account_income", {"id": "a"}, "a"),
        ("mono.direct_debit.payment_successful", {"id": "payment", "account": "a"}, "a"),
        ("mono.direct_debit.payment_successful", {"object": {"id": "p", "account": {"_id": "a"}}}, "a"),
        ("mono.mandates.ready", {"id": "mandate"}, None),
        ("mono.account_connected", {}, None),
        ("mono.account_connected", {"id": {"odd": 1}, "account": [1]}, None),
    ],
)
def test_the_account_is_found(name: str, data: dict[str, Any], found: str | None) -> None:
    """The account's id is found wherever Mono puts it, and a payment's or mandate's id is not taken for it."""
    assert account_id(name, data) == found


def test_the_details_of_an_update() -> None:
    """A recorded update tells the whole account, in either spelling of its fields."""
    data = from_json(payload("mono_account_updated"))["data"]
    expected = {
        "data_status": "AVAILABLE",
        "name": "ADA LOVELACE OBI",
        "account_number": "0987654321",
        "bvn": "22212345678",
        "currency": "NGN",
        "balance": Decimal(33333350),
        "account_type": "SAVINGS_ACCOUNT",
        "institution_name": "GTBank",
        "institution_type": "PERSONAL_BANKING",
        "bank_code": "058",
    }
    assert account_details("mono.account_updated", data) == expected
    data["account"]["account_number"] = data["account"].pop("accountNumber")
    assert account_details("mono.account_updated", data) == expected


def test_an_overdrawn_account_keeps_its_sign() -> None:
    """A balance may be negative, and one that is no number is left out."""
    assert account_details("mono.account_updated", {"account": {"balance": -150}}) == {"balance": Decimal(-150)}
    assert account_details("mono.account_updated", {"account": {"balance": "much"}}) == {}


DOCUMENTED = """
mono.events.account_connected mono.events.account_updated mono.events.account_reauthorized
mono.events.reauthorisation_required mono.events.sync_failed mono.events.account_unlinked mono.events.account_income
mono.events.account_credit_worthiness mono.events.statement_insights mono.events.webhook_test
direct_debit.payment_successful direct_debit.payment_failed direct_debit.payment_cancelled
direct_debit.payment_abandoned
events.mandates.created events.mandates.rejected events.mandates.approved events.mandates.ready events.mandates.expired
events.mandate.action.pause events.mandate.action.cancel events.mandate.action.reinstate
events.mandates.debit.processing events.mandates.debit.successful events.mandates.debit.failed
events.mandates.debit_attempt.successful
event.disbursement.processing event.disbursement.cancelled event.disbursement.completed
event.disbursement.transaction.successful event.disbursement.transaction.failed
event.disburse.account.created event.disburse.account.approved event.disburse.account.enabled
event.disburse.account.disabled
mono.transaction.dispute_initiated mono.transaction.reversal_completed
"""
"""Every event in Mono's documentation, by the names that it sends."""


def test_every_documented_event_is_in_the_catalogue() -> None:
    """Subscriptions and processes can choose each by its published name."""
    assert {published_name(event) for event in DOCUMENTED.split()} <= {kind.name for kind in EVENTS}


def told(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """What an event says about money, without what it does not say."""
    found: MoneyTold = money_told(name, data)
    return {field: value for field, value in found._asdict().items() if value is not None}


def test_a_debit_tells_where_its_money_went() -> None:
    """Amount and fee, who bears it, the transfer's id and the bank that it was settled to."""
    data = from_json(payload("mono_mandate_debit_successful"))["data"]
    assert told("mono.mandates.debit.successful", data) == {
        "reference": "Ah20141329b841234",
        "mandate_id": "mmc_6571f4e55c7d1843d7d162e9",
        "status": "successful",
        "response_code": "00",
        "amount": Decimal(50000),
        "fee": Decimal(1000),
        "fee_bearer": "business",
        "session_id": "999999250919103136775149584552",
        "settled_to": "MONO SETTLEMENT WALLET",
    }


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("mono.mandate.action.pause", {"mandate": "mmc_1", "data": None}, {"mandate_id": "mmc_1"}),
        ("mono.disburse.account.created", {"mandate_id": "m1"}, {"mandate_id": "m1"}),
        (
            "mono.disbursement.completed",
            {"reference": "d1", "total_amount": 2000000, "total_fee": 3500},
            {"reference": "d1", "amount": Decimal(2000000), "fee": Decimal(3500)},
        ),
        (
            "mono.disbursement.transaction.failed",
            {"disbursement_reference": "d1", "reference": "t1", "amount": "40000"},
            {"disbursement": "d1", "reference": "t1", "amount": Decimal(40000)},
        ),
        ("mono.transaction.dispute_initiated", {"transaction_reference": "r1"}, {"reference": "r1"}),
        ("mono.mandates.debit.failed", {"amount": {"odd": 1}, "beneficiary": "none", "fee": -1}, {"fee": Decimal(-1)}),
    ],
)
def test_what_else_tells_of_money(name: str, data: dict[str, Any], expected: dict[str, Any]) -> None:
    """Disbursements, mandates and disputes, each with its own names for the same."""
    assert told(name, data) == expected
