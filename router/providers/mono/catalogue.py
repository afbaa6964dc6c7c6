"""The types of events that Mono's notifications become."""

from collections.abc import Mapping
from typing import Any

from bpm.events.catalogue import PAYMENTS, EventKind

ACCOUNT: Mapping[str, Any] = {
    "event": "mono.events.account_updated",
    "eventId": "evt_1",
    "accountId": "6100c2…",
    "data": {},
}
CONNECTION = {"accountId": "6100c2…", "reference": "order-1", "reason": None}
FURTHER: Mapping[str, str] = {
    "account_income": "Mono has worked out the income of an account.",
    "account_credit_worthiness": "Mono has judged whether an account's owner can repay.",
    "direct_debit.payment_successful": "A one-time payment was made.",
    "direct_debit.payment_failed": "A one-time payment failed.",
    "direct_debit.payment_cancelled": "A payer cancelled a one-time payment.",
    "direct_debit.payment_abandoned": "A payer left a one-time payment.",
    "mandates.created": "A mandate was made and waits for its owner.",
    "mandates.approved": "The owner of an account approved a mandate.",
    "mandates.rejected": "A mandate was rejected.",
    "mandates.ready": "Accounts can be debited under a mandate.",
    "mandates.expired": "A mandate has ended.",
    "mandate.action.pause": "A mandate was paused.",
    "mandate.action.cancel": "A mandate was cancelled.",
    "mandate.action.reinstate": "A paused mandate goes on.",
    "mandates.debit.processing": "A debit under a mandate has begun.",
    "mandates.debit.successful": "A debit under a mandate was made.",
    "mandates.debit.failed": "A debit under a mandate failed.",
    "mandates.debit_attempt.successful": "A repeated debit under a mandate was made.",
}
"""Further events that Mono documents, without the `mono.` under which they are published."""

EVENTS = (
    EventKind("mono.account_connected", "A bank account was connected through Mono.", PAYMENTS, ACCOUNT),
    EventKind("mono.account_updated", "Mono has new data of an account.", PAYMENTS, ACCOUNT),
    EventKind("mono.account_reauthorized", "The owner of an account agreed again.", PAYMENTS, ACCOUNT),
    EventKind("mono.reauthorisation_required", "The owner of an account must agree again.", PAYMENTS, ACCOUNT),
    EventKind("mono.account_unlinked", "An account was taken away from Mono.", PAYMENTS, ACCOUNT),
    EventKind("mono.sync_failed", "Mono could not read an account.", PAYMENTS, ACCOUNT),
    EventKind("mono.connection_connected", "A browser came back with a code, and an account.", PAYMENTS, CONNECTION),
    EventKind("mono.connection_failed", "A browser came back with a code that Mono refused.", PAYMENTS, CONNECTION),
    EventKind("mono.connection_closed", "A browser came back without a code.", PAYMENTS, CONNECTION),
    *(EventKind(f"mono.{name}", sentence, PAYMENTS, ACCOUNT) for name, sentence in FURTHER.items()),
)
"""In the order in which they are shown."""
