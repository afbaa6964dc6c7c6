"""Names, accounts and details in Mono's events."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from router.providers.mono.events import account_details, account_id, published_name
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
