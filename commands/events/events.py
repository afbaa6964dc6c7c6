"""Publish events and look them up; register types of events."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from bpm.accounts.acting import acting_for
from bpm.bus import Command, Context, Id, Moment, Page, PagedQuery, Registry, View, handles
from bpm.errors import Conflict, Forbidden, Invalid
from bpm.events import tables
from bpm.events.catalogue import BUILT_IN, DIALECTS, OWN_BEGINNINGS, EventKind, Family
from bpm.events.names import EventName
from bpm.events.publisher import Publisher
from bpm.events.tables import Event, EventRow, EventType
from bpm.exact_json import write_json
from bpm.schemas import SchemaError, check_schema
from bpm.schemas import problems as schema_problems
from bpm.security.identifiers import new_id
from bpm.security.permissions import RESERVED_EVENTS, Principal
from bpm.security.redaction import without_credentials
from bpm.settings import Settings

Key = Annotated[str, Field(min_length=1, max_length=200)]
MAX_TYPES = 1_000
"""How many types an organisation may register."""
MAX_TYPE_BYTES = 256 * 1024
"""How large a type's schema and its example may be together."""
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
    command: PublishEventCommand, context: Context, publisher: Publisher, registry: Registry, settings: Settings
) -> EventView:
    """Store the event and its deliveries, and start the processes it triggers, in one transaction."""
    organization_id = _organization(command, context)
    _check_name(command.event, context)
    _check_size(command.data, settings.delivery.max_event_bytes)
    problems = publisher.problems(context.tx, organization_id, command.event, command.data)
    if problems:
        raise Invalid(*problems)
    event = EventRow(organization_id, new_id(), command.event, context.now(), command.data, command.ordering_key)
    row = {
        **event._asdict(),
        "idempotency_key": command.idempotency_key,
        "correlation_id": context.envelope.root,
    }
    if command.idempotency_key is None:
        tables.append_event(context.tx, row)
    elif not tables.insert_event_once(context.tx, row):
        return _first(row, command.idempotency_key, context)
    publisher.fan_out(context.tx, event, context.now())
    if publisher.is_heard(context.tx, organization_id, command.event):
        _start_processes(row, context, registry)
    return _view(row)


class GetEventListQuery(PagedQuery[Page[EventView]]):
    """List published events; `event` is a name, or `order.*` for every name that begins with `order.`."""

    permission = "events:read"
    succeeded = "Events retrieved successfully"

    event: Annotated[str, Field(min_length=1, max_length=200)] | None = None


@handles
def list_events(query: GetEventListQuery, context: Context) -> Page[EventView]:
    """Return one page, the newest first."""
    columns = {"createdAt": "created_at", "id": "id", "event": "name"}
    return query.page(context, tables.select_events(query.event), Event, _to_view, search=("name",), sortable=columns)


class EventTypeView(View):
    """A type of event; `families` are the interfaces it belongs to, `registered` says that it is your own.

    `schema` is the JSON Schema that the data must satisfy, null when anything may be published.
    """

    event: str
    description: str
    families: list[str]
    registered: bool
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    example: Any = None


class RegisterEventTypeCommand(Command[EventTypeView]):
    """Register a type of event, or change what is known of it; a built-in name may get a schema, too.

    From then on an event of that name is published only if its data satisfies `schema` (JSON Schema; a reference
    may not leave it).
    """

    permission = "events:write"
    succeeded = "Event type registered successfully"
    failed = "Registration failed"

    event: EventName
    description: Annotated[str, Field(max_length=500)] = ""
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    example: dict[str, Any] | None = None

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """The schema must be one."""
        schema: Any = fields.get("schema")
        size = sum(len(write_json(fields[name])) for name in ("schema", "example") if fields.get(name) is not None)
        if size > MAX_TYPE_BYTES:
            yield f"schema: takes {size} bytes with the example; at most {MAX_TYPE_BYTES} are possible"
        if isinstance(schema, dict):
            try:
                check_schema(schema)  # pyright: ignore[reportUnknownArgumentType]
            except SchemaError as error:
                yield f"schema: {error}"


@handles
def register(command: RegisterEventTypeCommand, context: Context) -> EventTypeView:
    """Insert or change it; an example that breaks the schema is refused."""
    if command.json_schema is not None and command.event.startswith(OWN_BEGINNINGS):
        raise Invalid("schema: an event that the product publishes itself can't be given one")
    row = tables.event_type(context.tx, context.organization_id, command.event)
    if row is None:
        _require_room(context)
        row = EventType(name=command.event, created_at=context.now(), organization_id=context.organization_id)
    else:
        row.updated_at = context.now()
    row.description, row.json_schema, row.example = command.description, command.json_schema, command.example
    _check_example(command)
    tables.keep_event_type(context.tx, context.organization_id, row)
    return _type_view(command.event, row)


class GetEventTypeListQuery(PagedQuery[Page[EventTypeView]]):
    """List the types of events that can be subscribed to, built-in ones and your own, by name.

    `family` leaves the built-in ones of that interface, and your own if it is one of those that others subscribe
    through: `mokapen`, `plandocket`, `donutwork`.
    """

    permission = "events:read"
    succeeded = "Event types retrieved successfully"

    family: Family | None = None


@handles
def list_event_types(query: GetEventTypeListQuery, context: Context) -> Page[EventTypeView]:
    """Return one page."""
    if query.sort_by not in (None, "event"):
        raise Invalid("sortBy: must be event", message="Validation failed")
    own = tables.event_type_descriptions(context.tx, context.organization_id)
    is_descending = query.sort_by is not None and query.sort_direction == "desc"
    known = sorted({*BUILT_IN, *own}, reverse=is_descending)
    names = [name for name in known if _is_wanted(name, own.get(name), query)]
    first = (query.page_number - 1) * query.page_size
    listed = names[first : first + query.page_size]
    rows = tables.event_types(context.tx, context.organization_id, listed)
    shown = [_type_view(name, rows.get(name)) for name in listed]
    return Page[EventTypeView].of(shown, len(names), query.page_number, query.page_size)


def _organization(command: PublishEventCommand, context: Context) -> int:
    """Return for whom to publish; raises `Forbidden` and `NotFound`."""
    wanted = command.organization_id or context.organization_id
    return acting_for(context.tx, context.principal, wanted).organization_id


def _check_name(name: str, context: Context) -> None:
    """Let nobody but the product say what the product says."""
    if name.startswith(OWN_BEGINNINGS) and not context.principal.allows(RESERVED_EVENTS):
        beginnings = ", ".join(f"{beginning}*" for beginning in OWN_BEGINNINGS)
        raise Forbidden(
            f"event: {beginnings} are published by the product itself; to do it in its place needs the permission "
            f"{RESERVED_EVENTS}"
        )


def _check_size(data: dict[str, Any], most: int) -> None:
    size = len(write_json(data))
    if size > most:
        raise Invalid(f"data: takes {size} bytes; at most {most} are possible (BPM_DELIVERY__MAX_EVENT_BYTES)")


def _first(row: dict[str, Any], key: str, context: Context) -> EventView:
    """Return the event that was published under the key before; raises `Conflict` when it was another."""
    first = tables.event_by_key(context.tx, row["organization_id"], key)
    if first is None or (first.name, first.data) != (row["name"], row["data"]):
        raise Conflict("idempotencyKey: another event was published with this key")
    return _to_view(first)


def _start_processes(row: dict[str, Any], context: Context, registry: Registry) -> None:
    """Tell the processes: what an event triggers acts for the process's authors, not for the event's publisher."""
    needed = registry.find(START_PROCESSES).message_type.permission
    starter = Principal("system", "system:events", "events", row["organization_id"], frozenset({needed or ""}))
    fields = {"event": row["name"], "data": row["data"], "eventId": row["id"]}
    context.call(START_PROCESSES, fields, starter)


def _check_example(command: RegisterEventTypeCommand) -> None:
    if command.json_schema is None or command.example is None:
        return
    found = schema_problems(write_json(command.json_schema).decode(), command.example)
    if found:
        raise Invalid(*(f"example: {problem}" for problem in found))


def _require_room(context: Context) -> None:
    if tables.count_event_types(context.tx, context.organization_id) >= MAX_TYPES:
        raise Invalid(f"event: the organisation has registered {MAX_TYPES} types, and may have no more")


def _is_wanted(name: str, own: str | None, query: GetEventTypeListQuery) -> bool:
    kind = BUILT_IN.get(name)
    if query.family is not None and query.family not in (kind.families if kind is not None else DIALECTS):
        return False
    words = f"{name} {own or ''} {kind.description if kind else ''}"
    return query.search_text is None or query.search_text.lower() in words.lower()


def _type_view(name: str, own: EventType | None) -> EventTypeView:
    kind = BUILT_IN.get(name, EventKind(name, "", (), {}))
    fields = {
        "event": name,
        "description": (own.description if own else "") or kind.description,
        "families": kind.families,
        "registered": own is not None,
        "schema": own.json_schema if own else None,
        "example": own.example if own and own.example is not None else dict(kind.example) or None,
    }
    return EventTypeView.model_validate(fields)


def _to_view(event: Event) -> EventView:
    return _view({**event.model_dump(), "data": without_credentials(event.data)})


def _view(row: dict[str, Any]) -> EventView:
    return EventView.model_validate({**row, "event": row["name"]})
