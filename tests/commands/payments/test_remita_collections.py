"""Remita's collections: mandates, debits and repayments, each kept once."""

import pytest

from bpm.errors import Invalid
from tests.commands.payments.conftest import PaymentsSender

pytestmark = pytest.mark.anyio

PATH = "remita/collection-notification"


async def test_every_form_is_kept(payments: PaymentsSender) -> None:
    """An activation, two debits and a repayment are four collections, each published."""
    for name in ("remita_collection_activation", "remita_collection_debit", "remita_repayment"):
        await payments.recorded(PATH, name)
    kept = await payments.listed("GetRemitaCollectionListQuery")
    assert [(c["type"], c["mandateId"], c["date"], c["amount"]) for c in kept] == [
        ("ACTIVATION", "270007689000", "2026-02-05", "20000"),
        ("DEBIT", "270007689000", "2026-03-01", "20000.5"),
        ("DEBIT", "270007689001", "2026-03-01", "7500"),
        ("REPAYMENT", "170007702000", "2026-02-28T12:30:01+01:00", "24790.21"),
    ]
    told = await payments.events("remita.collection_notified")
    assert [t["type"] for t in told] == ["ACTIVATION", "DEBIT", "DEBIT", "REPAYMENT"]
    assert (told[0]["mandateRequestId"], told[0]["requestId"]) == ("1611300000001", kept[0]["requestId"])


async def test_a_collection_counts_once(payments: PaymentsSender) -> None:
    """Mandate, request, type and date make a collection; whatever else differs, it is the same one."""
    line = '{"mandateId": "1", "requestId": "2", "%s": "%s", "amount": "%s"}'
    bodies = [
        line % ("debitDate", "01/02/2026", "5"),
        line % ("debitDate", "2026-02-01", "6"),
        line % ("activationDate", "01/02/2026", "5"),
        line % ("debitDate", "02/02/2026", "5"),
    ]
    views = [await payments.receive(PATH, body.encode()) for body in bodies]
    assert [view.accepted for view in views] == [1, 0, 1, 1]
    assert [view.duplicates for view in views] == [0, 1, 0, 0]
    assert len(await payments.listed("GetRemitaCollectionListQuery", type="DEBIT")) == 2
    assert len(await payments.events("remita.*")) == 3


async def test_rejected_lines_are_recorded(payments: PaymentsSender) -> None:
    """A line without its identity is recorded with its cause while the others are kept."""
    body = b'{"lineItems": [{"mandateId": "1"}, {"mandateId": "1", "requestId": "2", "debitDate": "01/02/2026"}]}'
    view = await payments.receive(PATH, body)
    assert (view.accepted, view.rejected) == (1, 1)
    (rejected,) = await payments.listed("GetRemitaRejectionListQuery", kind="collection")
    assert (rejected["position"], rejected["cause"].partition(":")[0]) == (0, "requestId")
    assert len(await payments.events("remita.collection_rejected")) == 1


async def test_a_client_is_told_what_is_wrong(payments: PaymentsSender) -> None:
    """A client's own item is validated field by field."""
    with pytest.raises(Invalid) as caught:
        payments.message("ProcessRemitaCollectionNotificationCommand", items=[{"type": "DEBIT", "date": "01/02/2026"}])
    assert {error.partition(":")[0] for error in caught.value.errors} == {
        "items[0].mandateId",
        "items[0].requestId",
        "items[0].date",
    }
