"""Remita's notifications: payments and collections, in every form that Remita is known to send."""

from decimal import Decimal
from typing import Any, ClassVar

import pytest
from pydantic_core import to_json

from bpm.errors import Misconfigured
from router.providers import Call, Reception, Refusal
from router.providers.remita import endpoints as remita_provider
from router.providers.remita.endpoints import MAX_ELEMENTS, read_collections, read_payments
from router.providers.remita.settings import RemitaSettings
from tests.payloads import payload
from tests.router.providers.contract import ADDRESS, ProviderContract

PAYMENTS, COLLECTIONS = "remita", "remita/collection-notification"


def call(body: Any) -> Call:
    return Call("POST", {}, {}, body if isinstance(body, bytes) else to_json(body), ADDRESS)


def payments(body: Any) -> Any:
    return read_payments(call(body)).fields["notifications"]


def items(body: Any) -> Any:
    return read_collections(call(body)).fields["items"]


class TestRemita(ProviderContract):
    name = "remita"
    on: ClassVar = {"remita": {"allowed_ips": ADDRESS, "header_secret": "agreed-With-Remita"}}
    half_on = (
        {"remita": {"allowed_ips": ""}},
        {"remita": {"allowed_ips": " , "}},
        {"remita": {"header_secret": " "}},
        {"remita": {"merchant_id": "1", "api_key": "2"}},
    )
    headers: ClassVar = {"x-remita-secret": "agreed-With-Remita"}
    switch = "BPM_REMITA__ALLOWED_IPS"
    recorded = (
        (PAYMENTS, "remita_payments", "ProcessRemitaPaymentNotificationCommand"),
        (COLLECTIONS, "remita_collection_activation", "ProcessRemitaCollectionNotificationCommand"),
        (COLLECTIONS, "remita_collection_debit", "ProcessRemitaCollectionNotificationCommand"),
        (COLLECTIONS, "remita_repayment", "ProcessRemitaCollectionNotificationCommand"),
    )
    words = (
        *("rrr", "RRR", "channnel", "amount", "transactiondate", "payeremail", "customFieldData", "parentRRRDetails"),
        *("notificationType", "lineItems", "mandateId", "requestId", "debitDate", "activationDate", "payment_date"),
        *("customerId", "mandateRef", "startDate", "chargeFee"),
    )

    def test_other_addresses_are_outside(self) -> None:
        """Only listed addresses are Remita's; an IPv4-mapped form of one is the same."""
        addresses = self.provider(self.on).addresses
        assert addresses is not None
        assert addresses.allows(ADDRESS)
        assert addresses.allows(f"::ffff:{ADDRESS}")
        assert not addresses.allows("198.51.100.8")

    def test_either_setting_switches_it_on(self) -> None:
        """An address list alone asks for no header, a header alone for no address."""
        by_address = self.provider({"remita": {"allowed_ips": "10.0.0.0/8"}})
        assert all(route.verify(call(b"")) is None for route in by_address.routes)
        by_header = self.provider({"remita": {"header_secret": "s", "header_name": "X-Our-Header"}})
        assert by_header.addresses is None
        assert by_header.confidential.hides_header("x-our-header")
        assert by_header.routes[0].verify(Call("POST", {"x-our-header": "s"}, {}, b"", ADDRESS)) is None
        assert by_header.routes[0].verify(Call("POST", {"x-remita-secret": "s"}, {}, b"", ADDRESS))

    def test_the_texts_are_remitas(self) -> None:
        """Accepted requests are answered `Ok`, refused ones `Not Ok`."""
        for path, name, _ in self.recorded:
            route = self.route("POST", path)
            assert route.read(self.call(payload(name))).answer.body == b"Ok"
            assert route.refused.body == b"Not Ok"
            with pytest.raises(Refusal) as caught:
                route.read(self.call(b"[]"))
            assert caught.value.answer.body == b"Not Ok"

    def test_a_wrong_address_list_is_found_at_start(self) -> None:
        """An entry that is no address stops the start with the setting's name."""
        with pytest.raises(Misconfigured, match=r"BPM_REMITA__ALLOWED_IPS.*10\.0\.0"):
            remita_provider.provider(RemitaSettings(allowed_ips="10.0.0"))


def test_a_payment_is_normalised() -> None:
    """Dashes go, the provider's misspelt channel counts, local times become UTC, custom fields become pairs."""
    first, second = payments(payload("remita_payments"))
    assert first == {
        "rrr": "110002071256",
        "channel": "CARDPAYMENT",
        "billerName": "SYSTEMSPECS",
        "amount": "16000.25",
        "chargeFee": "101.61",
        "transactionDate": "2026-02-11T09:16:33+00:00",
        "debitDate": "2026-02-11T09:16:33+00:00",
        "bank": "057",
        "branch": None,
        "serviceTypeId": "2020978",
        "orderRef": "OGSJNDKSD",
        "orderId": "0098-1",
        "payerName": "Ada Obi",
        "payerPhoneNumber": "08012345678",
        "payerEmail": "ada@example.org",
        "type": "PY",
        "paymentDescription": "Invoice 0098",
        "customFields": [{"description": "Plan", "value": "Gold"}, {"description": "Months", "value": "12"}],
        "parentRrrDetails": {},
    }
    assert (second["rrr"], second["amount"], second["channel"]) == ("130007612345", "20000", "USSD")


def test_a_single_object_is_one_notification() -> None:
    """A payment outside of an array is read like one within."""
    assert [p["rrr"] for p in payments({"RRR": 110002071256, "Amount": 5})] == ["110002071256"]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("200.0", "200"),
        ("0.1", "0.1"),
        ("1e3", "1000"),
        ('"1,234.50"', "1234.5"),
        ("123456789012345678.123456", "123456789012345678.123456"),
        ('"12 345 678"', "12345678"),
        ('" 12 "', "12"),
        ("0", "0"),
        ('"-0.00"', "0"),
        ('""', None),
        ("null", None),
    ],
)
def test_amounts_are_exact(sent: str, read: str | None) -> None:
    """An amount keeps its value to the last digit, however it is written."""
    (only,) = payments(f'{{"rrr": "1", "amount": {sent}}}'.encode())
    assert only["amount"] == read
    assert read is None or Decimal(only["amount"]) == Decimal(read)


@pytest.mark.parametrize(
    "sent",
    [
        *("-1", '"abc"', '"Infinity"', '"NaN"', "[]", "true", '{"a": 1}', "9" * 41, '"."', '"1_000"', '"\u0661\u0662"'),
        *("1e18", "1e999", "1E+9999999", '"1E+999999999999"', "0.0000001", "1e-9999999"),
        *('"12,50"', '"20.000,50"', '"1,2,3"', '"20000,"', '",500"', '"1,0000"', '"1 2"'),
    ],
)
def test_a_wrong_amount_rejects_its_element(sent: str) -> None:
    """What is no amount of money rejects that element by name, and the others go on."""
    fields = read_payments(call(f'[{{"rrr": "1", "amount": {sent}}}, {{"rrr": "2"}}]'.encode())).fields
    assert [p["rrr"] for p in fields["notifications"]] == ["2"]
    (rejected,) = fields["rejected"]
    assert rejected["position"] == 0
    assert rejected["cause"].startswith("amount: ")


def test_one_invalid_element_does_not_stop_the_others() -> None:
    """Elements that are no notifications are set aside with position and cause."""
    fields = read_payments(call([1, {"rrr": "1"}, {"amount": 1}, None, {"rrr": "a/../b"}, {"rrr": "2"}])).fields
    assert [p["rrr"] for p in fields["notifications"]] == ["1", "2"]
    assert [r["position"] for r in fields["rejected"]] == [0, 2, 3, 4]
    assert all("rrr" in r["cause"] for r in fields["rejected"])


def test_a_request_without_a_valid_element_is_refused() -> None:
    """When nothing can be kept the request is refused, naming the causes by position."""
    with pytest.raises(Refusal) as caught:
        read_payments(call([{"amount": 1}, {}]))
    assert "[0] rrr: is required" in caught.value.cause
    assert "[1] rrr: is required" in caught.value.cause


def test_too_many_elements_are_refused() -> None:
    """More elements than one transaction should take are refused with the limit."""
    with pytest.raises(Refusal, match=str(MAX_ELEMENTS)):
        read_payments(call([{"rrr": "1"}] * (MAX_ELEMENTS + 1)))


def test_odd_optional_fields_are_left_out() -> None:
    """An optional field of another type or an unreadable date costs nothing but itself."""
    (only,) = payments({"rrr": "1", "bank": {"x": 1}, "transactiondate": "yesterday", "customFieldData": [1, {"a": 1}]})
    assert (only["bank"], only["transactionDate"], only["customFields"]) == (None, None, [])


def test_collections_are_normalised() -> None:
    """Activations and debits lose the blanks around their ids, and their dates become ISO 8601."""
    (activation,) = items(payload("remita_collection_activation"))
    assert activation == {
        "type": "ACTIVATION",
        "mandateId": "270007689000",
        "requestId": "1611300000001",
        "date": "2026-02-05",
        "startDate": "2026-02-06",
        "endDate": "2027-02-06",
        "amount": "20000",
        "paymentStatus": None,
    }
    debits = items(payload("remita_collection_debit"))
    assert [(d["type"], d["date"], d["amount"]) for d in debits] == [
        ("DEBIT", "2026-03-01", "20000.5"),
        ("DEBIT", "2026-03-01", "7500"),
    ]


def test_a_flat_repayment_is_a_collection() -> None:
    """A repayment keeps its time, because two of a day are two."""
    (repayment,) = items(payload("remita_repayment"))
    assert repayment["type"] == "REPAYMENT"
    assert (repayment["mandateId"], repayment["requestId"]) == ("170007702000", "456257")
    assert repayment["date"] == "2026-02-28T12:30:01+01:00"
    assert (repayment["amount"], repayment["paymentStatus"]) == ("24790.21", "PAID")


def test_an_array_may_mix_the_forms() -> None:
    """An array of notifications with line items and flat repayments is read element by element."""
    forms = ("remita_collection_activation", "remita_collection_debit", "remita_repayment")
    body = b"[" + b",".join(payload(name) for name in forms) + b"]"
    assert [item["type"] for item in items(body)] == ["ACTIVATION", "DEBIT", "DEBIT", "REPAYMENT"]


def test_a_line_without_its_identity_is_rejected() -> None:
    """Mandate, request and date tell collections apart, so none of them may be missing."""
    lines = [
        {"requestId": "2", "debitDate": "01/02/2026"},
        {"mandateId": "1", "debitDate": "01/02/2026"},
        {"mandateId": "1", "requestId": "2"},
        {"mandateId": "1", "requestId": "2", "debitDate": "31/02/2026"},
        {"mandateId": "1", "requestId": "2", "debitDate": "28/02/2026"},
        "line",
    ]
    reception: Reception = read_collections(call({"notificationType": "DEBIT", "lineItems": lines}))
    assert len(reception.fields["items"]) == 1
    causes = [rejected["cause"].partition(":")[0] for rejected in reception.fields["rejected"]]
    assert causes == ["mandateId", "requestId", "debitDate", "debitDate", "mandateId"]
