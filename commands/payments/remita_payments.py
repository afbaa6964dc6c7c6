"""Take in Remita's payment notifications and look payments up."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from bpm.bus import Command, Context, Moment, Page, PagedQuery, View, WireModel, handles
from bpm.bus.paging import When
from commands.payments import tables
from commands.payments.amount import Amount
from commands.payments.publication import publish
from commands.payments.rejections import NotificationView, RejectedElement, keep_rejections
from commands.payments.remita_confirmation import ask_later
from commands.payments.tables import RemitaPayment
from router.providers.credentials import may_ask
from router.providers.remita.confirmation import RemitaApi


class CustomField(WireModel):
    """One of the biller's own fields."""

    description: str
    value: str | None = None


class RemitaNotification(WireModel):
    """A payment that Remita says was made, by its RRR (without dashes)."""

    rrr: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,50}$")]
    amount: Amount | None = None
    charge_fee: Amount | None = None
    transaction_date: When | None = None
    debit_date: When | None = None
    channel: str | None = None
    biller_name: str | None = None
    bank: str | None = None
    branch: str | None = None
    service_type_id: str | None = None
    order_ref: str | None = None
    order_id: str | None = None
    payer_name: str | None = None
    payer_phone_number: str | None = None
    payer_email: str | None = None
    type: str | None = None
    payment_description: str | None = None
    custom_fields: list[CustomField] = Field(default_factory=list[CustomField])
    parent_rrr_details: Any = None


class ProcessRemitaPaymentNotificationCommand(Command[NotificationView]):
    """Keep payments that Remita notified, once for each RRR, and have each confirmed by asking back."""

    permission = "payments:write"
    succeeded = "Remita payment notification processed successfully"
    failed = "Processing failed"

    notifications: Annotated[list[RemitaNotification], Field(min_length=1, max_length=2000)]
    rejected: list[RejectedElement] = Field(default_factory=list[RejectedElement])


@handles
def process(
    command: ProcessRemitaPaymentNotificationCommand, context: Context, remita_api: RemitaApi
) -> NotificationView:
    """Store and publish what is new, and ask for its confirmation if Remita can be asked."""
    accepted = [notification for notification in command.notifications if _keep(notification, context)]
    for notification in accepted:
        publish(context, "remita.payment_notified", _event_data(notification, context))
        if remita_api.configured and may_ask(context.organization_id):
            ask_later(context, notification.rrr, checks=0)
    keep_rejections(context, "payment", command.rejected)
    return NotificationView(
        accepted=len(accepted),
        duplicates=len(command.notifications) - len(accepted),
        rejected=len(command.rejected),
    )


def _keep(notification: RemitaNotification, context: Context) -> bool:
    row = {
        **notification.model_dump(),
        "organization_id": context.organization_id,
        "request_id": context.envelope.root,
        "created_at": context.now(),
    }
    return tables.insert_once(context.tx, RemitaPayment, row)


def _event_data(notification: RemitaNotification, context: Context) -> dict[str, Any]:
    fields = notification.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {**fields, "status": tables.UNCONFIRMED, "requestId": context.envelope.root}


class RemitaPaymentView(View):
    """A payment: unconfirmed, confirmed by Remita, or a mismatch that `incident` describes. Amounts are naira."""

    id: int
    rrr: str
    status: str
    amount: Decimal | None
    charge_fee: Decimal | None
    transaction_date: Moment | None
    debit_date: Moment | None
    channel: str | None
    biller_name: str | None
    bank: str | None
    branch: str | None
    service_type_id: str | None
    order_ref: str | None
    order_id: str | None
    payer_name: str | None
    payer_phone_number: str | None
    payer_email: str | None
    type: str | None
    payment_description: str | None
    custom_fields: list[dict[str, Any]]
    parent_rrr_details: Any
    checks: int
    provider_status: str | None
    provider_message: str | None
    confirmed_amount: Decimal | None
    confirmed_at: Moment | None
    incident: str | None
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
    since: When | None = None
    until: When | None = None
    amount: Amount | None = None


@handles
def list_payments(query: GetRemitaPaymentListQuery, context: Context) -> Page[RemitaPaymentView]:
    """Return one page, the newest first."""
    return query.page(
        context,
        tables.select_payments(query.status, query.since, query.until, query.amount),
        RemitaPayment,
        RemitaPaymentView.model_validate,
        search=("rrr", "order_id", "order_ref", "payer_name", "payer_email"),
        sortable={"createdAt": "created_at", "id": "id", "rrr": "rrr", "transactionDate": "transaction_date"},
    )
