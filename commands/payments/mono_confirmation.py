"""Ask Mono whether a payment or a debit was made."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, ShownWith, View, handles
from bpm.errors import BpmError, Failed, NotFound, Unavailable
from commands.payments import mono_tables
from commands.payments.asked_back import AskedBack
from commands.payments.claims import PaymentClaims
from commands.payments.mono_tables import MonoPayment
from commands.payments.rechecks import wait_before
from commands.payments.tables import CONFIRMED, MAX_REFERENCE
from commands.payments.unanswered import ProviderQuestion
from router.providers.credentials import require_may_ask
from router.providers.mono.confirmation import MonoApi, MonoPaymentStatus

Content = ShownWith("payments:read")
MOST_MANDATES = 5
"""About how many mandates Mono is asked where notifications of one payment name different ones."""


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
    """Ask Mono for the status of a payment or a debit, and compare it; what is confirmed stays confirmed.

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
    mandate_ids = await context.read(lambda reading: _mandates(_found(command.reference, reading), reading))
    fields = {"reference": command.reference}
    question = ProviderQuestion("ConfirmMonoPaymentCommand", fields, lambda asking: _found(command.reference, asking))
    answer = await question.answer(context, _ask(mono_api, command.reference, mandate_ids))
    return await context.conclude(lambda concluding: _keep(command.reference, answer, concluding))


def ask_later(context: Context, reference: str, checks: int) -> None:
    """Have the payment confirmed by a job that is retried while Mono can't be reached."""
    fields, key = {"reference": reference}, f"mono:{reference}:{checks}"
    context.later("ConfirmMonoPaymentCommand", fields, delay=wait_before(checks), key=key)


def _mandates(payment: MonoPayment, context: Context) -> list[str | None]:
    """Return the mandates that notifications name the payment under, the newest first; None is a payment without."""
    told = [payment, *PAYMENTS.claims.beside(context.tx, context.organization_id, payment)]
    return list(dict.fromkeys(one.mandate_id for one in reversed(told)))[:MOST_MANDATES]


async def _ask(mono_api: MonoApi, reference: str, mandate_ids: Sequence[str | None]) -> MonoPaymentStatus:
    """Ask about each mandate until one says that the payment was made; else return the first answer.

    Raises the first error when there was one: it may be the right question that was not answered.
    """
    answers: list[MonoPaymentStatus] = []
    errors: list[BpmError] = []
    for mandate_id in mandate_ids:
        try:
            answers.append(await mono_api.payment_status(reference, mandate_id))
        except (Failed, Unavailable) as error:
            errors.append(error)
        if answers and answers[-1].is_done:
            return answers[-1]
    if errors:
        raise errors[0]
    return answers[0]


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
    if answer.is_refunded:
        return f"Mono says the payment was made and refunded; {answer.amount} was paid"
    if payment.mandate_id is not None and payment.mandate_id != answer.mandate_id:
        return f"the mandate {payment.mandate_id} was told of but {answer.mandate_id} was asked about"
    if payment.account_id is not None and answer.account_id is not None and payment.account_id != answer.account_id:
        return f"the account {payment.account_id} was told of but {answer.account_id} paid"
    told, confirmed = payment.currency, answer.currency
    if told is not None and confirmed is not None and told.upper() != confirmed.upper():
        return f"{told} was told of but {confirmed} was paid"
    if payment.amount is not None and payment.amount != answer.amount:
        return f"{payment.amount} was told of but {answer.amount} was paid"
    return None


def _said(answer: MonoPaymentStatus) -> dict[str, str | None]:
    currency = answer.currency.upper() if answer.currency else None
    return {"currency": currency, "account_id": answer.account_id}


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
    claims=PaymentClaims("mono", subject=("reference",), compared=("amount", "currency", "account_id", "mandate_id")),
    incident=_incident,
    said=_said,
    never="Mono was asked for a day and did not say that it was made; it said {status}",
)
