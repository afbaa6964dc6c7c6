"""Keep the payments that Mono tells of, and look them up."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from bpm.bus import Context, Moment, Page, PagedQuery, View, handles
from bpm.bus.paging import When
from commands.payments import mono_tables
from commands.payments.amount import Amount
from commands.payments.mono_confirmation import PAYMENTS, ask_later
from commands.payments.mono_tables import MonoEvent, MonoPayment
from commands.payments.tables import MAX_REFERENCE, PaymentFilter
from router.providers.credentials import may_ask
from router.providers.mono.confirmation import MonoApi
from router.providers.mono.events import money_told

PAYMENT_EVENTS = frozenset({"mono.direct_debit.payment_successful", "mono.mandates.debit.successful"})
"""Under these names events are published that tell of money that was paid."""


class MonoPaymentView(View):
    """A payment, or a debit under a mandate: unconfirmed, confirmed by Mono, or a mismatch that `incident` describes.

    Amounts are in the currency's smallest unit (kobo).
    """

    id: int
    reference: str
    """The payment's reference."""
    event: str
    """The name of the event that told of it, as it was published."""
    status: str
    """What became of the payment."""
    account_id: str | None
    mandate_id: str | None
    """Mono's id of the mandate, of a debit."""
    currency: str | None
    amount: Decimal | None
    """The amount of the event, in kobo."""
    fee: Decimal | None
    """The fee in kobo."""
    occurred_at: Moment | None
    """When it happened, by Mono."""
    checks: int
    """How often Mono was asked."""
    provider_status: str | None
    """What Mono calls the status, or the HTTP status where it knows no such payment."""
    provider_message: str | None
    """What Mono said of it."""
    confirmed_amount: Decimal | None
    """The amount that Mono confirmed, in kobo."""
    confirmed_at: Moment | None
    """When Mono confirmed it."""
    incident: str | None
    """What does not fit."""
    request_id: str
    created_at: Moment
    updated_at: Moment | None


class GetMonoPaymentListQuery(PagedQuery[Page[MonoPaymentView]]):
    """List the payments and debits that Mono told of; `searchText` looks into reference, account and mandate.

    `since` and `until` (exclusive) are times by Mono, or else of the event's arrival; `amount`, in kobo, is exactly
    what was told of or confirmed. `GetMonoReconciliationQuery` adds them up by days and currencies.
    """

    permission = "payments:read"
    succeeded = "Mono payments retrieved successfully"

    status: Literal["unconfirmed", "confirmed", "mismatch"] | None = None
    """Those with this status."""
    since: When | None = None
    until: When | None = None
    amount: Amount | None = None
    """Exactly this amount, in kobo."""
    currency: Annotated[str, Field(pattern=r"^[A-Za-z]{3}$")] | None = None
    """Those in this currency, as in `NGN`."""


@handles
def list_payments(query: GetMonoPaymentListQuery, context: Context) -> Page[MonoPaymentView]:
    """Return one page, the newest first."""
    wanted = PaymentFilter(query.status, query.since, query.until, query.amount)
    return query.page(
        context,
        mono_tables.select_mono_payments(wanted, query.currency.upper() if query.currency else None),
        MonoPayment,
        MonoPaymentView.model_validate,
        search=("reference", "account_id", "mandate_id"),
        sortable={"createdAt": "created_at", "id": "id", "reference": "reference", "occurredAt": "occurred_at"},
    )


def keep_payment(context: Context, event: MonoEvent, mono_api: MonoApi) -> None:
    """Keep the payment that an event tells of, once for each reference, and have it confirmed by asking back.

    A further event about one that is not confirmed has Mono asked again, and is what counts if its answer says so.

    Without a reference Mono can't be asked about it, and only the event is kept.
    """
    told = money_told(event.name, event.data)
    if told.reference is None or len(told.reference) > MAX_REFERENCE:
        return
    payment = MonoPayment(
        organization_id=context.organization_id,
        reference=told.reference,
        event=event.name,
        account_id=event.account_id,
        mandate_id=told.mandate_id,
        currency=told.currency.upper() if told.currency else None,
        amount=told.amount,
        fee=told.fee,
        occurred_at=event.occurred_at,
        request_id=event.request_id,
        created_at=context.now(),
    )

    def find() -> MonoPayment | None:
        return mono_tables.mono_payment(context.tx, context.organization_id, payment.reference)

    def ask() -> None:
        ask_later(context, payment.reference, checks=0)

    PAYMENTS.note(context, payment, find, ask if mono_api.configured and may_ask(context.organization_id) else None)
