"""Publish events and look them up."""

from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Command, Context, Id, Moment, Page, PagedQuery, View, handles
from bpm.errors import Conflict, Forbidden
from bpm.events import tables
from bpm.events.tables import Event
from bpm.security.identifiers import new_id

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")]
Key = Annotated[str, Field(min_length=1, max_length=200)]


class EventView(View):
    """A published event."""

    id: str
    event: str
    data: dict[str, Any]
    organization_id: int
    idempotency_key: str | None = None
    ordering_key: str | None = None
    correlation_id: str
    created_at: Moment


class PublishEventCommand(Command[EventView]):
    """Publish an event; under one `idempotencyKey` it is published once, however often it is sent."""

    permission = "events:write"
    succeeded = "Event published successfully"
    failed = "Publishing failed"

    event: Name
    data: dict[str, Any] = Field(default_factory=dict[str, Any])
    idempotency_key: Key | None = None
    ordering_key: Key | None = None
    organization_id: Id | None = None


@handles
def publish(command: PublishEventCommand, context: Context) -> EventView:
    """Store the event."""
    row = {
        "organization_id": _organization(command, context),
        "id": new_id(),
        "name": command.event,
        "data": command.data,
        "idempotency_key": command.idempotency_key,
        "ordering_key": command.ordering_key,
        "correlation_id": context.envelope.root,
        "created_at": context.now(),
    }
    if command.idempotency_key is None:
        tables.append_event(context.tx, row)
        return _view(row)
    return _publish_once(row, command.idempotency_key, context)


class GetEventListQuery(PagedQuery[Page[EventView]]):
    """List published events; `event` is a name, or `order.*` for every name that begins with `order.`."""

    permission = "events:read"
    succeeded = "Events retrieved successfully"

    event: Annotated[str, Field(min_length=1, max_length=200)] | None = None


@handles
def list_events(query: GetEventListQuery, context: Context) -> Page[EventView]:
    """Return one page, the newest first."""
    columns = {"createdAt": "created_at", "id": "id", "event": "name"}
    return query.page(context, tables.select_events(query.event), Event, _shown, search=("name",), sortable=columns)


def _organization(command: PublishEventCommand, context: Context) -> int:
    wanted = command.organization_id or context.organization_id
    if wanted != context.organization_id and context.principal.kind != "system":
        raise Forbidden("organizationId: is not yours; leave it out to publish for your own organisation")
    return wanted


def _publish_once(row: dict[str, Any], key: str, context: Context) -> EventView:
    if tables.insert_event_once(context.tx, row):
        return _view(row)
    first = tables.event_by_key(context.tx, row["organization_id"], key)
    if first is None or (first.name, first.data) != (row["name"], row["data"]):
        raise Conflict("idempotencyKey: another event was published with this key")
    return _shown(first)


def _shown(event: Event) -> EventView:
    return _view(event.model_dump())


def _view(row: dict[str, Any]) -> EventView:
    return EventView.model_validate({**row, "event": row["name"]})
