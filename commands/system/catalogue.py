"""What can be sent: every command and query with its schemas."""

from functools import lru_cache
from typing import Any, Literal

from pydantic import Field

from bpm.bus import Context, Query, Registry, View, handles
from bpm.bus.catalogue import Catalogue, Entry, catalogue_of
from bpm.errors import NotFound


class CatalogueEntryView(View):
    """One command or query.

    `kind` says how it is handled: `transactional` and `query` inside one database transaction, `effect`
    reaching outside. `request` and `result` are JSON Schemas (2020-12) that stand alone.
    """

    type: str
    """The `$type`."""
    area: str
    """The part of the product that it belongs to."""
    kind: Literal["transactional", "query", "effect"]
    """How it is handled."""
    permission: str | None
    """What its sender needs; null for nothing."""
    description: str
    """What it does."""
    aliases: list[str]
    """Further names that it answers to."""
    request: dict[str, Any]
    """The JSON Schema of its fields."""
    result: dict[str, Any]
    """The JSON Schema of what it is answered with."""


class CommandCatalogueView(View):
    """Everything that can be sent, by name."""

    items: list[CatalogueEntryView]
    """The messages by name."""
    total_count: int
    """How many there are."""


class GetCommandCatalogQuery(Query[CommandCatalogueView]):
    """List every `$type` with its description, permission and JSON Schemas; `name` and `area` narrow the list."""

    permission = None
    succeeded = "Command catalogue retrieved successfully"

    name: str | None = Field(default=None, description="Only this `$type`, in any form the bus accepts")
    area: str | None = Field(default=None, description="Only the messages of this area, as in `webhooks`")


@handles
def list_catalogue(query: GetCommandCatalogQuery, context: Context, registry: Registry) -> CommandCatalogueView:
    """Show the registry; raises `NotFound` for a name that is not in it."""
    wanted = registry.find(query.name).name if query.name is not None else None
    views = _views(registry)
    items = [view for view in views if wanted in {None, view.type} and query.area in {None, view.area}]
    if not items:
        areas = ", ".join(sorted({view.area for view in views}))
        raise NotFound(f"area: no area is named {query.area!r}; there are {areas}")
    return CommandCatalogueView(items=items, total_count=len(items))


@lru_cache(maxsize=8)
def _views(registry: Registry) -> list[CatalogueEntryView]:
    """Return every message of a registry that is complete; the work is done once."""
    catalogue = catalogue_of(registry)
    return [_to_view(entry, catalogue) for entry in catalogue.entries]


def _to_view(entry: Entry, catalogue: Catalogue) -> CatalogueEntryView:
    return CatalogueEntryView(
        type=entry.name,
        area=entry.area,
        kind=entry.kind,
        permission=entry.permission,
        description=entry.description,
        aliases=list(entry.aliases),
        request=catalogue.standing_alone(entry.request),
        result=catalogue.standing_alone(entry.result),
    )
