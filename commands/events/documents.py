"""What may be published, as a document that other programs read."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Context, Query, View, handles
from bpm.bus.paging import until_full
from bpm.events import tables
from bpm.events.asyncapi import EventDescription, asyncapi
from bpm.events.catalogue import EventCatalogue
from bpm.events.names import EventPattern
from bpm.events.subscription_tables import patterns_for

MAX_PATTERNS = 200


class AsyncApiView(View):
    """An AsyncAPI 3.0 document. It ends early when it would be larger than 8 MiB: `leftOut` types are not in it."""

    document: dict[str, Any]
    """The document."""
    left_out: int = 0


class GetAsyncApiQuery(Query[AsyncApiView]):
    """Return the types of events, built-in ones and your own with their schemas, as an AsyncAPI 3.0 document.

    `events` leaves the types of these names and patterns (`order.*`). `/asyncapi.json` has the built-in ones alone.
    """

    permission = "events:read"
    succeeded = "Document made successfully"

    events: Annotated[list[EventPattern], Field(min_length=1, max_length=MAX_PATTERNS)] | None = None
    """Only types of these names and patterns."""


@handles
def make_document(query: GetAsyncApiQuery, context: Context, catalogue: EventCatalogue) -> AsyncApiView:
    """Describe the wanted types by name, as long as there is room."""
    own = tables.event_type_descriptions(context.tx, context.organization_id)
    names = sorted({*catalogue.kinds, *own})
    if query.events is not None:
        names = [name for name in names if not set(query.events).isdisjoint(patterns_for(name))]
    described = until_full(_described(names, context, catalogue))
    return AsyncApiView(document=asyncapi(described, version("bpm-bus")), left_out=len(names) - len(described))


def _described(names: Sequence[str], context: Context, catalogue: EventCatalogue) -> Iterator[EventDescription]:
    for name, row in tables.event_types(context.tx, context.organization_id, names):
        built_in = catalogue.kinds.get(name)
        text = (row.description if row else "") or (built_in.description if built_in else "")
        example = (row.example if row else None) or (built_in.example if built_in else None)
        yield EventDescription(name, text, row.json_schema if row else None, example)
