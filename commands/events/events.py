"""Publish events, and look at those that were published."""

from typing import Annotated, Any

from pydantic import Field

from bpm.accounts.acting import acting_for
from bpm.bus import Command, Context, Id, Moment, Page, PagedQuery, Registry, View, handles
from bpm.errors import Conflict, Forbidden, Invalid
from bpm.events import tables
from bpm.events.catalogue import EventCatalogue
from bpm.events.names import EventName
from bpm.events.publisher import Publisher
from bpm.events.tables import Event, EventRow
from bpm.exact_json import write_json
from bpm.security.identifiers import new_id
from bpm.security.permissions import RESERVED_EVENTS, Principal
from bpm.security.redaction import without_credentials
from bpm.settings import Settings
from bpm.store import WrittenJson

Key = Annotated[str, Field(min_length=1, max_length=200)]
START_PROCESSES = "StartTriggeredProcessesCommand"


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
    """Publish an event to everybody who subscribed to it.

    Under one `idempotencyKey` it is published once, however often it is sent. Events with the same `orderingKey`
    are delivered one after the other. The data must satisfy the JSON Schema of a registered type. An account of the
    installation may publish for another organisation, `organizationId`. Names of the product's own events, as
    `mono.*` and `process.*`, need the permission `events:reserved`.
    """

    permission = "events:write"
    succeeded = "Event published successfully"
    failed = "Publishing failed"

    event: EventName
    data: dict[str, Any] = Field(default_factory=dict[str, Any])
    idempotency_key: Key | None = None
    ordering_key: Key | None = None
    organization_id: Id | None = None


@handles
def publish(
    command: PublishEventCommand,
    context: Context,
    publisher: Publisher,
    registry: Registry,
    settings: Settings,
    catalogue: EventCatalogue,
) -> EventView:
    """Store the event and its deliveries, and start the processes it triggers, in one transaction."""
    organization_id = _organization(command, context)
    _check_name(command.event, context, catalogue)
    data = _written(command.data, settings.delivery.max_event_bytes)
    problems = publisher.problems(context.tx, organization_id, command.event, command.data)
    if problems:
        raise Invalid(*problems)
    event = EventRow(organization_id, new_id(), command.event, context.now(), command.data, command.ordering_key)
    row = {
        **event._asdict(),
        "data": data,
        "idempotency_key": command.idempotency_key,
        "correlation_id": context.envelope.root,
        "depth": context.envelope.depth,
    }
    if command.idempotency_key is None:
        tables.append_event(context.tx, row)
    elif not tables.insert_event_once(context.tx, row):
        return _first(event, command.idempotency_key, context)
    publisher.fan_out(context.tx, event, context.now())
    if publisher.is_heard(context.tx, organization_id, command.event):
        _start_processes(event, context, registry)
    return _view({**row, "data": command.data})


class GetEventListQuery(PagedQuery[Page[EventView]]):
    """List published events; `event` is a name, or `order.*` for every name that begins with `order.`."""

    permission = "events:read"
    succeeded = "Events retrieved successfully"

    event: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    correlation_id: Key | None = None


@handles
def list_events(query: GetEventListQuery, context: Context) -> Page[EventView]:
    """Return one page, the newest first."""
    columns = {"createdAt": "created_at", "id": "id", "event": "name"}
    return query.page(
        context,
        tables.select_events(query.event, query.correlation_id),
        Event,
        _to_view,
        search=("name",),
        sortable=columns,
    )


def _organization(command: PublishEventCommand, context: Context) -> int:
    """Return for whom to publish; raises `Forbidden` and `NotFound`."""
    wanted = command.organization_id or context.organization_id
    return acting_for(context.tx, context.principal, wanted).organization_id


def _check_name(name: str, context: Context, catalogue: EventCatalogue) -> None:
    """Let nobody but the product say what the product says."""
    if catalogue.is_own(name) and not context.principal.allows(RESERVED_EVENTS):
        beginnings = ", ".join(f"{beginning}*" for beginning in catalogue.beginnings)
        raise Forbidden(
            f"event: {beginnings} are published by the product itself; to do it in its place needs the permission "
            f"{RESERVED_EVENTS}"
        )


def _written(data: dict[str, Any], most: int) -> WrittenJson:
    """Return the data as it is stored; raises `Invalid` when it is too large."""
    written = write_json(data)
    if len(written) > most:
        raise Invalid(f"data: takes {len(written)} bytes; at most {most} are possible (BPM_DELIVERY__MAX_EVENT_BYTES)")
    return WrittenJson(written.decode())


def _first(event: EventRow, key: str, context: Context) -> EventView:
    """Return the event that was published under the key before; raises `Conflict` when it was another."""
    first = tables.event_by_key(context.tx, event.organization_id, key)
    if first is None or (first.name, first.data) != (event.name, event.data):
        raise Conflict("idempotencyKey: another event was published with this key")
    return _to_view(first)


def _start_processes(event: EventRow, context: Context, registry: Registry) -> None:
    """Tell the processes: what an event triggers acts for the process's authors, not for the event's publisher."""
    needed = registry.find(START_PROCESSES).message_type.permission
    starter = Principal("system", "system:events", "events", event.organization_id, frozenset({needed or ""}))
    fields = {"event": event.name, "data": event.data, "eventId": event.id}
    context.call(START_PROCESSES, fields, starter)


def _to_view(event: Event) -> EventView:
    return _view({**event.model_dump(), "data": without_credentials(event.data)})


def _view(row: dict[str, Any]) -> EventView:
    return EventView.model_validate({**row, "event": row["name"]})
