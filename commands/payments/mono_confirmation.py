"""Ask Mono whether a payment or a debit was made."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, ShownWith, View, handles
from bpm.errors import NotFound
from commands.payments import mono_tables
from commands.payments.asked_back import AskedBack
from commands.payments.mono_tables import MonoPayment
from commands.payments.rechecks import wait_before
from commands.payments.tables import CONFIRMED, MAX_REFERENCE
from router.providers.credentials import require_may_ask
from router.providers.mono.confirmation import MonoApi, MonoPaymentStatus

Content = ShownWith("payments:read")


class MonoConfirmationView(View):
    """What Mono said: `status` is confirmed, mismatch (see `incident`), or unconfirmed while it is not made."""

    reference: str
    """The payment's reference."""
    status: str
    """What became of the payment."""
    provider_status: str | None
    """What Mono calls the status, as in `successful`, or the HTTP status where it knows no such payment."""
    provider_message: Annotated[str | None, Content]
    """What Mono said of it."""
    currency: Annotated[str | None, Content]
    amount: Annotated[Decimal | None, Content]
    """The amount of the event, in kobo."""
    confirmed_amount: Annotated[Decimal | None, Content]
    """The amount that Mono confirmed, in kobo."""
    incident: Annotated[str | None, Content]
    """What does not fit."""


class ConfirmMonoPaymentCommand(Command[MonoConfirmationView]):
    """Ask Mono for the status of a payment or a debit, and compare the amounts; what is confirmed stays confirmed.

    Mono is asked with the installation's key, so only the installation may.
    """

    permission = "payments:write"
    succeeded = "Mono payment checked"
    failed = "Confirmation failed"

    reference: Annotated[str, Field(min_length=1, max_length=MAX_REFERENCE)]
    """The payment's reference."""


@handles
async def confirm(
    command: ConfirmMonoPaymentCommand, context: EffectContext, mono_api: MonoApi
) -> MonoConfirmationView:
    """Ask, then keep and publish the answer; not yet is an answer too and is asked again later."""
    require_may_ask(context.organization_id)
    mandate_id = await context.read(lambda reading: _found(command.reference, reading).mandate_id)
    answer = await mono_api.payment_status(command.reference, mandate_id)
    return await context.conclude(lambda concluding: _keep(command.reference, answer, concluding))


def ask_later(context: Context, reference: str, checks: int) -> None:
    """Have the payment confirmed by a job that is retried while Mono can't be reached."""
    fields, key = {"reference": reference}, f"mono:{reference}:{checks}"
    context.later("ConfirmMonoPaymentCommand", fields, delay=wait_before(checks), key=key)


def _keep(reference: str, answer: MonoPaymentStatus, context: Context) -> MonoConfirmationView:
    payment = _found(reference, context)
    if payment.status != CONFIRMED:
        PAYMENTS.keep(context, payment, answer, lambda checks: ask_later(context, payment.reference, checks))
    return MonoConfirmationView.model_validate(payment)


def _found(reference: str, context: Context) -> MonoPayment:
    payment = mono_tables.mono_payment(context.tx, context.organization_id, reference)
    if payment is None:
        raise NotFound("reference: no payment with it was told of")
    return payment


def _incident(payment: MonoPayment, answer: MonoPaymentStatus) -> str | None:
    """Say what does not fit together; an event without an amount or a currency claims none that could differ."""
    if answer.amount is None:
        return "Mono says the payment was made but not how much was paid"
    told, confirmed = payment.currency, answer.currency
    if told is not None and confirmed is not None and told.upper() != confirmed.upper():
        return f"{told} was told of but {confirmed} was paid"
    if payment.amount is not None and payment.amount != answer.amount:
        return f"{payment.amount} was told of but {answer.amount} was paid"
    return None


def _event_data(payment: MonoPayment) -> dict[str, Any]:
    return {
        "reference": payment.reference,
        "event": payment.event,
        "accountId": payment.account_id,
        "mandateId": payment.mandate_id,
        "status": payment.status,
        "currency": payment.currency,
        "amount": payment.amount,
        "confirmedAmount": payment.confirmed_amount,
        "providerStatus": payment.provider_status,
        "incident": payment.incident,
        "requestId": payment.request_id,
    }


PAYMENTS = AskedBack(
    event="mono.payment",
    event_data=_event_data,
    incident=_incident,
    never="Mono was asked for a day and did not say that it was made; it said {status}",
)
