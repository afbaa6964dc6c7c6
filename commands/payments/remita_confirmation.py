"""Ask Remita whether a payment was made."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, ShownWith, View, handles
from bpm.errors import NotFound
from commands.payments import remita_tables
from commands.payments.asked_back import AskedBack
from commands.payments.claims import PaymentClaims
from commands.payments.rechecks import wait_before
from commands.payments.remita_tables import RemitaPayment
from commands.payments.tables import CONFIRMED
from commands.payments.unanswered import ProviderQuestion
from router.providers.credentials import require_may_ask
from router.providers.remita.confirmation import MAX_SAID, PaymentStatus, RemitaApi

Content = ShownWith("payments:read")


class RemitaConfirmationView(View):
    """What Remita said: `status` is confirmed, mismatch (see `incident`), or unconfirmed while it is not paid."""

    rrr: str
    """Remita's retrieval reference, without dashes."""
    status: str
    """What became of the payment."""
    provider_status: str | None
    """The code that Remita answered."""
    provider_message: Annotated[str | None, Content]
    """What Remita said of it."""
    amount: Annotated[Decimal | None, Content]
    confirmed_amount: Annotated[Decimal | None, Content]
    """The amount that Remita confirmed."""
    incident: Annotated[str | None, Content]
    """What does not fit."""


class ConfirmRemitaPaymentCommand(Command[RemitaConfirmationView]):
    """Ask Remita for the status of a payment, and compare amount and order; what is confirmed stays confirmed.

    Remita is asked as the installation's merchant, so only the installation may.
    """

    permission = "payments:write"
    succeeded = "Remita payment checked"
    failed = "Confirmation failed"

    rrr: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")]
    """Remita's retrieval reference; dashes don't matter."""


@handles
async def confirm(
    command: ConfirmRemitaPaymentCommand, context: EffectContext, remita_api: RemitaApi
) -> RemitaConfirmationView:
    """Ask, then keep and publish the answer; unpaid is an answer too and is asked again later."""
    require_may_ask(context.organization_id)
    rrr = command.rrr.replace("-", "")
    question = ProviderQuestion("ConfirmRemitaPaymentCommand", {"rrr": rrr}, lambda asking: _found(rrr, asking))
    answer = await question.answer(context, remita_api.status(rrr))
    return await context.conclude(lambda concluding: _keep(rrr, answer, concluding))


def ask_later(context: Context, rrr: str, checks: int) -> None:
    """Have the payment confirmed by a job that is retried while Remita can't be reached."""
    context.later("ConfirmRemitaPaymentCommand", {"rrr": rrr}, delay=wait_before(checks), key=f"remita:{rrr}:{checks}")


def _keep(rrr: str, answer: PaymentStatus, context: Context) -> RemitaConfirmationView:
    payment = _found(rrr, context)
    if payment is None:
        raise NotFound("rrr: no payment with it was notified")
    if payment.status != CONFIRMED:
        PAYMENTS.keep(context, payment, answer, lambda checks: ask_later(context, payment.rrr, checks))
    return RemitaConfirmationView.model_validate(payment)


def _found(rrr: str, context: Context) -> RemitaPayment | None:
    return remita_tables.remita_payment(context.tx, context.organization_id, rrr)


def _said(answer: PaymentStatus) -> dict[str, str | None]:
    """What was paid for, where Remita says it and no notification did."""
    return {"order_id": answer.order_id[:MAX_SAID] if answer.order_id else None}


def _incident(payment: RemitaPayment, answer: PaymentStatus) -> str | None:
    """Say what does not fit together; a notification without an amount or order claims none that could differ."""
    if answer.amount is None:
        return "Remita says the payment was made but not how much was paid"
    if payment.amount is not None and payment.amount != answer.amount:
        return f"{payment.amount} was notified but {answer.amount} was paid"
    if payment.order_id and answer.order_id and payment.order_id.strip() != answer.order_id[:MAX_SAID]:
        return f"it was notified for the order {payment.order_id[:MAX_SAID]} but paid for {answer.order_id[:MAX_SAID]}"
    return None


def _event_data(payment: RemitaPayment) -> dict[str, Any]:
    return {
        "rrr": payment.rrr,
        "orderId": payment.order_id,
        "status": payment.status,
        "amount": payment.amount,
        "confirmedAmount": payment.confirmed_amount,
        "providerStatus": payment.provider_status,
        "incident": payment.incident,
        "requestId": payment.request_id,
    }


PAYMENTS = AskedBack(
    event="remita.payment",
    event_data=_event_data,
    claims=PaymentClaims("remita", subject=("rrr",), compared=("amount", "order_id")),
    incident=_incident,
    said=_said,
    never="Remita was asked for a day and did not say that it was paid; it said {status}",
)
