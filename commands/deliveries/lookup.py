"""Look deliveries up, and the requests that were made for them."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field

from bpm.bus import Context, Id, Page, PagedQuery, Query, handles
from bpm.errors import NotFound
from bpm.events import delivery_tables, tables
from bpm.events.delivery_tables import Delivery, DeliveryAttempt, State
from bpm.store.paging import ROWS_AT_ONCE
from commands.deliveries.access import DeliveryId, get_or_404
from commands.deliveries.views import (
    AttemptView,
    DeliveryDetailView,
    DeliveryView,
    to_attempt_view,
    to_detail_view,
    to_view,
)


class GetDeliveryListQuery(PagedQuery[Page[DeliveryView]]):
    """List deliveries, the newest first; `event` is a name or `order.*`."""

    permission = "deliveries:read"
    succeeded = "Deliveries retrieved successfully"

    subscription_id: Id | None = None
    event_id: DeliveryId | None = None
    event: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    state: State | None = None
    """Those in this state."""


@handles
def list_deliveries(query: GetDeliveryListQuery, context: Context) -> Page[DeliveryView]:
    """Return one page."""
    statement = delivery_tables.select_deliveries(
        subscription_id=query.subscription_id, event_id=query.event_id, event=query.event, state=query.state
    )
    columns = {"createdAt": "created_at", "completedAt": "completed_at", "nextAttemptAt": "due_at", "event": "event"}
    return query.page(context, statement, Delivery, to_view, search=("event", "last_error"), sortable=columns)


class GetDeliveryByIdQuery(Query[DeliveryDetailView]):
    """Return one delivery with its event's data and every attempt: timing, request, answer."""

    permission = "deliveries:read"
    succeeded = "Delivery retrieved successfully"
    failed = "Delivery not found"

    id: DeliveryId


@handles
def get(query: GetDeliveryByIdQuery, context: Context) -> DeliveryDetailView:
    """Look it up."""
    row = get_or_404(query.id, context)
    event = tables.event(context.tx, context.organization_id, row.event_id)
    attempts = delivery_tables.attempts_of(context.tx, context.organization_id, row.id)
    if event is None:
        raise NotFound("The event of this delivery was deleted")
    return to_detail_view(row, event, list(attempts))


class GetDeliveryAttemptListQuery(PagedQuery[Page[AttemptView]]):
    """List the requests made, the newest first: the log of one subscription, or of all."""

    permission = "deliveries:read"
    succeeded = "Delivery attempts retrieved successfully"

    subscription_id: Id | None = None
    ok: bool | None = None
    """Those that succeeded, or those that did not."""


@handles
def list_attempts(query: GetDeliveryAttemptListQuery, context: Context) -> Page[AttemptView]:
    """Return one page."""
    statement = delivery_tables.select_attempts(query.subscription_id, ok=query.ok)
    columns = {"createdAt": "created_at", "id": "id", "durationMs": "duration_ms", "status": "status"}
    page = query.page(context, statement, DeliveryAttempt, lambda row: row, search=("error",), sortable=columns)
    starts = range(0, len(page.items), ROWS_AT_ONCE)
    items = [shown for start in starts for shown in _shown(page.items[start : start + ROWS_AT_ONCE], context)]
    return Page[AttemptView].of(items, page.total, page.page_number, page.page_size, query.skip)


def _shown(attempts: Sequence[DeliveryAttempt], context: Context) -> Iterator[AttemptView]:
    """Show attempts with their events, which may hold megabytes each."""
    wanted = [attempt.delivery_id for attempt in attempts]
    events = delivery_tables.events_of(context.tx, context.organization_id, wanted)
    return (to_attempt_view(attempt, events.get(attempt.delivery_id)) for attempt in attempts)
