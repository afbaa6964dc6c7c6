"""Which deliveries are chosen to be done something with."""

from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import func
from sqlalchemy.orm import Session
from sqlmodel import col

from bpm.bus import Context, Id, Integer, Query, View, handles
from bpm.bus.paging import When
from bpm.events import delivery_tables
from bpm.events.delivery_tables import Delivery


class SelectedDeliveriesView(View):
    """The ids of deliveries in the order of publication, of all that match."""

    ids: list[str]
    """The ids that were chosen."""
    matched: int
    """How many match."""


class SelectDeliveriesQuery(Query[SelectedDeliveriesView]):
    """Choose deliveries, as a bulk job does: those that are dead unless `state` says otherwise."""

    permission = "deliveries:write"
    succeeded = "Deliveries selected"

    state: Literal["dead", "cancelled", "pending", "paused"] = "dead"
    """Only deliveries in this state."""
    subscription_id: Id | None = None
    event: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    start_date: When | None = None
    end_date: When | None = None
    limit: Annotated[Integer, Field(ge=1, le=10_000)] = 1_000


@handles
def select_deliveries(query: SelectDeliveriesQuery, context: Context) -> SelectedDeliveriesView:
    """Return their ids."""
    statement = delivery_tables.select_deliveries(
        subscription_id=query.subscription_id, event=query.event, state=query.state
    )
    if query.start_date is not None:
        statement = statement.where(col(Delivery.created_at) >= query.start_date)
    if query.end_date is not None:
        statement = statement.where(col(Delivery.created_at) <= query.end_date)
    ids = statement.with_only_columns(col(Delivery.id)).order_by(col(Delivery.number)).limit(query.limit)
    counted = statement.with_only_columns(func.count(), maintain_column_froms=True)
    session = context.session
    return SelectedDeliveriesView(
        ids=list(Session.execute(session, ids).scalars()), matched=Session.execute(session, counted).scalar_one()
    )
