"""The types of events that Remita's notifications become."""

from bpm.events.catalogue import PAYMENTS, EventKind

RRR = {"rrr": "110-0020-71256", "amount": "200.00", "channel": "CARD", "orderId": "o1"}
UNREAD = "Elements of a notification could not be read."
COLLECTION_UNCONFIRMED = "Remita was asked for a day, and has not confirmed a mandate or a debit."
DEBIT = {"type": "DEBIT", "mandateId": "180799091923", "mandateRequestId": "73298", "amount": "10000"}
UNCONFIRMED = "Remita was asked for a day, and has not confirmed a payment."

EVENTS = (
    EventKind("remita.payment_notified", "Remita told of a payment, not yet confirmed.", PAYMENTS, RRR),
    EventKind("remita.payment_confirmed", "Remita confirmed a payment when asked back.", PAYMENTS, RRR),
    EventKind("remita.payment_mismatch", "Remita confirmed another amount than it told.", PAYMENTS, RRR),
    EventKind("remita.payment_unconfirmed", UNCONFIRMED, PAYMENTS, RRR),
    EventKind("remita.payment_rejected", UNREAD, PAYMENTS, {"elements": []}),
    EventKind("remita.collection_notified", "Remita told of a debit.", PAYMENTS, DEBIT),
    EventKind("remita.collection_confirmed", "Remita confirmed a mandate or a debit when asked back.", PAYMENTS, DEBIT),
    EventKind("remita.collection_mismatch", "Remita confirmed another debit than it told.", PAYMENTS, DEBIT),
    EventKind("remita.collection_unconfirmed", COLLECTION_UNCONFIRMED, PAYMENTS, DEBIT),
    EventKind("remita.collection_rejected", UNREAD, PAYMENTS, {"elements": []}),
)
"""In the order in which they are shown."""
