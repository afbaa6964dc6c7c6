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
PAYMENT: Mapping[str, Any] = {
    "reference": "4847584848483RA",
    "event": "mono.direct_debit.payment_successful",
    "status": "confirmed",
    "currency": "NGN",
    "amount": "20000",
    "confirmedAmount": "20000",
}
UNCONFIRMED = "Mono was asked for a day, and has not confirmed a payment or a debit."
CONNECTION = {"accountId": "6100c2…", "reference": "order-1", "isReferenceProven": False, "reason": None}
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
    "mandates.debit.partial_debit_successful": "A part of a debit under a mandate was made.",
    "mandates.debit_attempt.successful": "A part of a debit was collected from one of an owner's accounts.",
    "disbursement.processing": "A disbursement has begun.",
    "disbursement.cancelled": "A disbursement was cancelled.",
    "disbursement.completed": "A disbursement has ended, with all, some or none of its transfers made.",
    "disbursement.transaction.successful": "A transfer of a disbursement was made.",
    "disbursement.transaction.failed": "A transfer of a disbursement failed.",
    "disburse.account.created": "An account to disburse from was made, and waits for its owner.",
    "disburse.account.approved": "The owner of an account to disburse from approved it.",
    "disburse.account.enabled": "An account can be disbursed from.",
    "disburse.account.disabled": "An account can't be disbursed from any more.",
    "transaction.dispute_initiated": "A payer disputes a debit.",
    "transaction.reversal_completed": "A disputed debit was paid back.",
    "statement_insights": "Mono has looked through the statement of an account.",
    "webhook_test": "Mono tries out the address.",
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
    EventKind("mono.payment_confirmed", "Mono confirmed a payment or a debit when asked back.", PAYMENTS, PAYMENT),
    EventKind("mono.payment_mismatch", "Mono confirmed another payment than it told of.", PAYMENTS, PAYMENT),
    EventKind("mono.payment_unconfirmed", UNCONFIRMED, PAYMENTS, PAYMENT),
    *(EventKind(f"mono.{name}", sentence, PAYMENTS, ACCOUNT) for name, sentence in FURTHER.items()),
)
"""In the order in which they are shown."""
