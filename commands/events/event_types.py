"""Register types of events, and list them with the built-in ones."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Command, Context, Page, PagedQuery, View, handles
from bpm.bus.paging import until_full
from bpm.errors import Invalid
from bpm.events import tables
from bpm.events.catalogue import DIALECTS, EventCatalogue, EventKind, Family
from bpm.events.names import EventName
from bpm.events.tables import EventType
from bpm.exact_json import write_json
from bpm.schemas import SchemaError, check_schema
from bpm.schemas import problems as schema_problems
from bpm.store.named_lock import take_named_lock
from bpm.store.paging import Total

MAX_TYPES = 1_000
"""How many types an organisation may register."""
MAX_TYPE_BYTES = 256 * 1024
"""How large a type's schema and its example may be together."""


class EventTypeView(View):
    """A type of event; `families` are the interfaces it belongs to, `registered` says that it is your own.

    `schema` is the JSON Schema that the data must satisfy, null when anything may be published.
    """

    event: str
    description: str
    families: list[str]
    """The interfaces that it belongs to."""
    registered: bool
    """Whether it is your own."""
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    """The JSON Schema of its data; null when anything may be published."""
    example: Any = None
    """Data as an event of this type has them."""


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
    """The JSON Schema of its data."""
    example: dict[str, Any] | None = None
    """Data as an event of this type has them."""

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
def register(command: RegisterEventTypeCommand, context: Context, catalogue: EventCatalogue) -> EventTypeView:
    """Insert or change it; an example that breaks the schema is refused."""
    if command.json_schema is not None and catalogue.is_own(command.event):
        raise Invalid("schema: an event that the product publishes itself can't be given one")
    take_named_lock(context.tx, f"event types of organisation {context.organization_id}")
    row = tables.event_type(context.tx, context.organization_id, command.event)
    if row is None:
        _require_room(context)
        row = EventType(name=command.event, created_at=context.now(), organization_id=context.organization_id)
    else:
        row.updated_at = context.now()
    row.description, row.json_schema, row.example = command.description, command.json_schema, command.example
    _check_example(command)
    tables.keep_event_type(context.tx, context.organization_id, row)
    return _type_view(catalogue, command.event, row)


class GetEventTypeListQuery(PagedQuery[Page[EventTypeView]]):
    """List the types of events that can be subscribed to, built-in ones and your own, by name.

    `family` leaves the built-in ones of that interface, and your own if it is one of those that others subscribe
    through: `mokapen`, `plandocket`, `donutwork`.
    """

    permission = "events:read"
    succeeded = "Event types retrieved successfully"

    family: Family | None = None
    """Those of this interface."""
    brief: bool = False
    """Without schemas and examples, which may be large."""


@handles
def list_event_types(query: GetEventTypeListQuery, context: Context, catalogue: EventCatalogue) -> Page[EventTypeView]:
    """Return one page."""
    if query.sort_by not in (None, "event"):
        raise Invalid("sortBy: must be event", message="Validation failed")
    own = tables.event_type_descriptions(context.tx, context.organization_id)
    is_descending = query.sort_by is not None and query.sort_direction == "desc"
    known = sorted({*catalogue.kinds, *own}, reverse=is_descending)
    names = [name for name in known if _is_wanted(catalogue.kinds.get(name), name, own.get(name), query)]
    first = (query.page_number - 1) * query.page_size
    listed = names[first + query.skip : first + query.page_size]
    if query.brief:
        views = (_brief_view(catalogue, name, own.get(name)) for name in listed)
    else:
        rows = tables.event_types(context.tx, context.organization_id, listed)
        views = (_type_view(catalogue, name, row) for name, row in rows)
    shown = until_full(views)
    return Page[EventTypeView].of(shown, Total(len(names)), query.page_number, query.page_size, query.skip)


def _check_example(command: RegisterEventTypeCommand) -> None:
    if command.json_schema is None or command.example is None:
        return
    found = schema_problems(write_json(command.json_schema).decode(), command.example)
    if found:
        raise Invalid(*(f"example: {problem}" for problem in found))


def _require_room(context: Context) -> None:
    if tables.count_event_types(context.tx, context.organization_id) >= MAX_TYPES:
        raise Invalid(f"event: the organisation has registered {MAX_TYPES} types, and may have no more")


def _is_wanted(kind: EventKind | None, name: str, own: str | None, query: GetEventTypeListQuery) -> bool:
    if query.family is not None and query.family not in (kind.families if kind is not None else DIALECTS):
        return False
    words = f"{name} {own or ''} {kind.description if kind else ''}"
    return query.search_text is None or query.search_text.lower() in words.lower()


def _type_view(catalogue: EventCatalogue, name: str, own: EventType | None) -> EventTypeView:
    view = _brief_view(catalogue, name, own.description if own is not None else None)
    if own is not None:
        view.json_schema, view.example = own.json_schema, own.example
    if view.example is None and name in catalogue.kinds:
        view.example = dict(catalogue.kinds[name].example) or None
    return view


def _brief_view(catalogue: EventCatalogue, name: str, own: str | None) -> EventTypeView:
    """Show a type without what may be large; `own` is what the organisation says of it, None of a built-in one."""
    kind = catalogue.kinds.get(name, EventKind(name, "", (), {}))
    families = [str(family) for family in kind.families]
    return EventTypeView(event=name, description=own or kind.description, families=families, registered=own is not None)
