"""Take in Remita's payment notifications and look payments up."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from bpm.bus import Command, Context, Moment, Page, PagedQuery, View, WireModel, handles
from bpm.bus.paging import When
from commands.payments import remita_tables, tables
from commands.payments.amount import Amount
from commands.payments.publication import publish
from commands.payments.rejections import NotificationView, RejectedElement, keep_rejections
from commands.payments.remita_confirmation import PAYMENTS, ask_later
from commands.payments.remita_tables import RemitaPayment
from commands.payments.tables import PaymentFilter
from router.providers.credentials import may_ask
from router.providers.remita.confirmation import RemitaApi


class CustomField(WireModel):
    """One of the biller's own fields."""

    description: str
    """What the biller calls it."""
    value: str | None = None
    """What the payer wrote."""


class RemitaNotification(WireModel):
    """A payment that Remita says was made, by its RRR (without dashes)."""

    rrr: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,50}$")]
    """Remita's retrieval reference, without dashes."""
    amount: Amount | None = None
    charge_fee: Amount | None = None
    """What Remita charged."""
    transaction_date: When | None = None
    """When it was paid."""
    debit_date: When | None = None
    """When the payer's account was debited."""
    channel: str | None = None
    """How it was paid."""
    biller_name: str | None = None
    """Who is paid."""
    bank: str | None = None
    """The code of the bank."""
    branch: str | None = None
    """The code of the branch."""
    service_type_id: str | None = None
    """Remita's id of what is paid for."""
    order_ref: str | None = None
    """The biller's reference of the order."""
    order_id: str | None = None
    """The biller's id of the order."""
    payer_name: str | None = None
    """Who paid."""
    payer_phone_number: str | None = None
    """The payer's telephone number."""
    payer_email: str | None = None
    """The payer's address."""
    type: str | None = None
    """What Remita calls the kind of payment."""
    payment_description: str | None = None
    """What it was paid for."""
    custom_fields: list[CustomField] = Field(default_factory=list[CustomField])
    """The biller's own fields."""
    parent_rrr_details: Any = None
    """What Remita says of the payment that this one is a part of."""


class ProcessRemitaPaymentNotificationCommand(Command[NotificationView]):
    """Keep payments that Remita notified, once for each RRR, and have each confirmed by asking back.

    A further one of a payment that is not confirmed has Remita asked again, and counts if its answer says so.
    """

    permission = "payments:write"
    succeeded = "Remita payment notification processed successfully"
    failed = "Processing failed"

    notifications: Annotated[list[RemitaNotification], Field(min_length=1, max_length=2000)]
    """The payments."""
    rejected: Annotated[list[RejectedElement], Field(max_length=2000)] = Field(default_factory=list[RejectedElement])
    """What was not valid."""


@handles
def process(
    command: ProcessRemitaPaymentNotificationCommand, context: Context, remita_api: RemitaApi
) -> NotificationView:
    """Store and publish what is new, and ask for its confirmation if Remita can be asked."""
    asks = remita_api.configured and may_ask(context.organization_id)
    accepted = [notification for notification in command.notifications if _keep(notification, context, asks=asks)]
    for notification in accepted:
        publish(context, "remita.payment_notified", _event_data(notification, context))
    keep_rejections(context, "payment", command.rejected)
    return NotificationView(
        accepted=len(accepted),
        duplicates=len(command.notifications) - len(accepted),
        rejected=len(command.rejected),
    )


def _keep(notification: RemitaNotification, context: Context, *, asks: bool) -> bool:
    told = RemitaPayment(
        **notification.model_dump(),
        organization_id=context.organization_id,
        request_id=context.envelope.root,
        created_at=context.now(),
    )

    def find() -> RemitaPayment | None:
        return remita_tables.remita_payment(context.tx, context.organization_id, told.rrr)

    def ask() -> None:
        ask_later(context, told.rrr, checks=0)

    return PAYMENTS.note(context, told, find, ask if asks else None)


def _event_data(notification: RemitaNotification, context: Context) -> dict[str, Any]:
    fields = notification.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {**fields, "status": tables.UNCONFIRMED, "requestId": context.envelope.root}


class RemitaPaymentView(View):
    """A payment: unconfirmed, confirmed by Remita, or a mismatch that `incident` describes. Amounts are naira."""

    id: int
    rrr: str
    """Remita's retrieval reference, without dashes."""
    status: str
    """What became of the payment."""
    amount: Decimal | None
    charge_fee: Decimal | None
    """What Remita charged."""
    transaction_date: Moment | None
    """When it was paid."""
    debit_date: Moment | None
    """When the payer's account was debited."""
    channel: str | None
    """How it was paid."""
    biller_name: str | None
    """Who is paid."""
    bank: str | None
    """The code of the bank."""
    branch: str | None
    """The code of the branch."""
    service_type_id: str | None
    """Remita's id of what is paid for."""
    order_ref: str | None
    """The biller's reference of the order."""
    order_id: str | None
    """The biller's id of the order."""
    payer_name: str | None
    """Who paid."""
    payer_phone_number: str | None
    """The payer's telephone number."""
    payer_email: str | None
    """The payer's address."""
    type: str | None
    """What Remita calls the kind of payment."""
    payment_description: str | None
    """What it was paid for."""
    custom_fields: list[dict[str, Any]]
    """The biller's own fields."""
    parent_rrr_details: Any
    """What Remita says of the payment that this one is a part of."""
    checks: int
    """How often Remita was asked."""
    provider_status: str | None
    """The code that Remita answered."""
    provider_message: str | None
    """What Remita said of it."""
    confirmed_amount: Decimal | None
    """The amount that Remita confirmed."""
    confirmed_at: Moment | None
    """When Remita confirmed it."""
    incident: str | None
    """What does not fit."""
    request_id: str
    created_at: Moment
    updated_at: Moment | None


class GetRemitaPaymentListQuery(PagedQuery[Page[RemitaPaymentView]]):
    """List the payments that Remita notified; `searchText` looks into RRR, order and payer.

    `since` and `until` (exclusive) are times of the transaction, or else of the notification; `amount` is exactly
    what was notified or confirmed. `GetRemitaReconciliationQuery` adds them up by days.
    """

    permission = "payments:read"
    succeeded = "Remita payments retrieved successfully"

    status: Literal["unconfirmed", "confirmed", "mismatch"] | None = None
    """Those with this status."""
    since: When | None = None
    until: When | None = None
    amount: Amount | None = None
    """Exactly this amount."""


@handles
def list_payments(query: GetRemitaPaymentListQuery, context: Context) -> Page[RemitaPaymentView]:
    """Return one page, the newest first."""
    return query.page(
        context,
        remita_tables.select_payments(PaymentFilter(query.status, query.since, query.until, query.amount)),
        RemitaPayment,
        RemitaPaymentView.model_validate,
        search=("rrr", "order_id", "order_ref", "payer_name", "payer_email"),
        sortable={"createdAt": "created_at", "id": "id", "rrr": "rrr", "transactionDate": "transaction_date"},
    )
