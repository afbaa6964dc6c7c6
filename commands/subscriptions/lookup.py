"""Look subscriptions up."""

from typing import Annotated

from pydantic import Field

from bpm.bus import Context, Id, Page, PagedQuery, Query, handles
from bpm.events import health_tables, subscription_tables
from bpm.events.subscription_tables import SUBSCRIPTIONS, Subscription
from bpm.store.text_search import before
from commands.subscriptions.access import current_view, get_or_404
from commands.subscriptions.fields import Dialect
from commands.subscriptions.views import SubscriptionView, to_view


class GetSubscriptionListQuery(PagedQuery[Page[SubscriptionView]]):
    """List subscriptions; `event` is the name of an event that they want.

    `searchText` looks into name, description and URL; what stands behind the `?` of a URL is neither searched nor
    sorted by.
    """

    permission = "subscriptions:read"
    succeeded = "Subscriptions retrieved successfully"

    is_active: bool | None = None
    event: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    dialect: Dialect | None = None


@handles
def list_subscriptions(query: GetSubscriptionListQuery, context: Context) -> Page[SubscriptionView]:
    """Return one page, the newest first."""
    statement = subscription_tables.select_subscriptions(
        is_active=query.is_active, event=query.event, dialect=query.dialect
    )
    address = before(SUBSCRIPTIONS.c.url, "?")
    columns = {"createdAt": "created_at", "id": "id", "name": "name", "url": address}
    words = ("name", "description", address)
    page = query.page(context, statement, Subscription, lambda row: row, search=words, sortable=columns)
    doing = health_tables.health_of(context.tx, context.organization_id, [row.id for row in page.items])
    items = [to_view(row, doing.get(row.id), context) for row in page.items]
    return Page[SubscriptionView].of(items, page.total, page.page_number, page.page_size, query.skip)


class GetSubscriptionByIdQuery(Query[SubscriptionView]):
    """Return one subscription, without its secret; with `dialect`, only one that was made through that interface."""

    permission = "subscriptions:read"
    succeeded = "Subscription retrieved successfully"
    failed = "Subscription not found"

    id: Id
    dialect: Dialect | None = None


@handles
def get(query: GetSubscriptionByIdQuery, context: Context) -> SubscriptionView:
    """Look it up."""
    return current_view(get_or_404(query.id, context, query.dialect), context)
