"""Take in Remita's collection notifications and look collections up."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field

from bpm.bus import Command, Context, Moment, Page, PagedQuery, View, WireModel, handles
from commands.payments import remita_tables
from commands.payments.amount import Amount
from commands.payments.publication import publish
from commands.payments.rejections import NotificationView, RejectedElement, keep_rejections
from commands.payments.remita_collection_confirmation import COLLECTIONS, ask_later
from commands.payments.remita_tables import CollectionKey, RemitaCollection
from router.providers.credentials import may_ask
from router.providers.remita.confirmation import ASKED_AT, RemitaApi

Identifier = Annotated[str, Field(min_length=1, max_length=100)]
Date = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}(T.{1,40})?$")]
"""A date in ISO 8601, with the time if the notification had one."""


class RemitaCollectionItem(WireModel):
    """A mandate's activation, a debit under it, or a repayment."""

    type: Annotated[str, Field(min_length=1, max_length=50)]
    """What was collected."""
    mandate_id: Identifier
    """Remita's id of the mandate."""
    request_id: Identifier
    """Remita's id of the request."""
    date: Date
    """The day, as Remita writes it."""
    start_date: Date | None = None
    """When the mandate begins."""
    end_date: Date | None = None
    """When the mandate ends."""
    amount: Amount | None = None
    payment_status: str | None = None
    """What Remita calls the status."""


class ProcessRemitaCollectionNotificationCommand(Command[NotificationView]):
    """Keep what Remita collected, once for each mandate, request, type and date; have it confirmed by asking back."""

    permission = "payments:write"
    succeeded = "Remita collection notification processed successfully"
    failed = "Processing failed"
    sample = {"items": [{"type": "DEBIT", "mandateId": "1", "requestId": "1", "date": "2026-01-31"}]}

    items: Annotated[list[RemitaCollectionItem], Field(min_length=1, max_length=2000)]
    """What was collected."""
    rejected: Annotated[list[RejectedElement], Field(max_length=2000)] = Field(default_factory=list[RejectedElement])
    """What was not valid."""


@handles
def process(
    command: ProcessRemitaCollectionNotificationCommand, context: Context, remita_api: RemitaApi
) -> NotificationView:
    """Store and publish what is new, and ask for the confirmation of what Remita can be asked about."""
    asks = remita_api.configured and may_ask(context.organization_id)
    accepted = [item for item in command.items if _keep(item, context, asks=asks and item.type in ASKED_AT)]
    for item in accepted:
        publish(context, "remita.collection_notified", _event_data(item, context))
    keep_rejections(context, "collection", command.rejected)
    return NotificationView(
        accepted=len(accepted), duplicates=len(command.items) - len(accepted), rejected=len(command.rejected)
    )


def _keep(item: RemitaCollectionItem, context: Context, *, asks: bool) -> bool:
    told = RemitaCollection(
        **item.model_dump(exclude={"request_id"}),
        organization_id=context.organization_id,
        mandate_request_id=item.request_id,
        request_id=context.envelope.root,
        created_at=context.now(),
    )
    key = CollectionKey(item.type, item.mandate_id, item.request_id, item.date)

    def find() -> RemitaCollection | None:
        return remita_tables.remita_collection(context.tx, context.organization_id, key)

    return COLLECTIONS.note(context, told, find, (lambda: ask_later(context, key, checks=0)) if asks else None)


def _event_data(item: RemitaCollectionItem, context: Context) -> dict[str, Any]:
    fields = item.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"request_id"})
    return {**fields, "mandateRequestId": item.request_id, "requestId": context.envelope.root}


class RemitaCollectionView(View):
    """Something collected; `mandateRequestId` is Remita's `requestId`, `requestId` our inbound request's."""

    id: int
    type: str
    """What was collected."""
    mandate_id: str
    """Remita's id of the mandate."""
    mandate_request_id: str
    """Remita's id of the request."""
    date: str
    """The day, as Remita writes it."""
    start_date: str | None
    """When the mandate begins."""
    end_date: str | None
    """When the mandate ends."""
    amount: Decimal | None
    payment_status: str | None
    """What Remita calls the status."""
    status: str
    """Whether Remita confirmed it when asked back."""
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
    provider_reference: str | None
    """Remita's own reference of a debit that was made, if it names one."""
    incident: str | None
    """What does not fit."""
    request_id: str
    created_at: Moment
    updated_at: Moment | None


class GetRemitaCollectionListQuery(PagedQuery[Page[RemitaCollectionView]]):
    """List mandate activations, debits and repayments; `searchText` looks into mandate and request ids.

    The former name `type` of `notificationType` is still read.
    """

    permission = "payments:read"
    succeeded = "Remita collections retrieved successfully"

    notification_type: Annotated[str, Field(min_length=1, max_length=50)] | None = Field(
        default=None, validation_alias=AliasChoices("notificationType", "type")
    )
    """Those of this type."""
    status: Literal["unconfirmed", "confirmed", "mismatch"] | None = None
    """Those with this status."""


@handles
def list_collections(query: GetRemitaCollectionListQuery, context: Context) -> Page[RemitaCollectionView]:
    """Return one page, the newest first."""
    return query.page(
        context,
        remita_tables.select_collections(query.notification_type, query.status),
        RemitaCollection,
        RemitaCollectionView.model_validate,
        search=("mandate_id", "mandate_request_id"),
        sortable={"createdAt": "created_at", "id": "id", "date": "date", "mandateId": "mandate_id"},
    )
