"""What an agent is offered: the messages of the catalogue that its key may send."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bpm.client import BusClient, Reply, ServerRefused
from bpm.security.permissions import grants

CATALOGUE = "GetCommandCatalogQuery"
"""Not a tool: the list of tools says the same."""


@dataclass(frozen=True, slots=True)
class OfferedMessage:
    """A command or query as a tool: `fields` and `result` are JSON Schemas, `fields` without `$type`."""

    name: str
    description: str
    is_query: bool
    fields: dict[str, Any]
    result: dict[str, Any]


async def fetch_offered(client: BusClient, *, allow_commands: bool) -> dict[str, OfferedMessage]:
    """Ask the server what there is and what the key may do, and return what is offered; raises `ServerRefused`."""
    account = _data("GetOwnAccountQuery", await client.send("GetOwnAccountQuery", {}))
    catalogue = _data(CATALOGUE, await client.send(CATALOGUE, {}))
    held = frozenset[str](account["permissions"])
    entries = [entry for entry in catalogue["items"] if _may_send(entry, held)]
    return {offered.name: offered for offered in _offered(entries) if allow_commands or offered.is_query}


def _may_send(entry: Mapping[str, Any], held: frozenset[str]) -> bool:
    permission = entry["permission"]
    return entry["type"] != CATALOGUE and (permission is None or grants(held, permission))


def _offered(entries: Iterable[Mapping[str, Any]]) -> Iterable[OfferedMessage]:
    for entry in entries:
        yield OfferedMessage(
            name=entry["type"],
            description=entry["description"],
            is_query=entry["kind"] == "query",
            fields=_without_type(entry["request"]),
            result=entry["result"],
        )


def _without_type(request: Mapping[str, Any]) -> dict[str, Any]:
    properties = {name: schema for name, schema in request["properties"].items() if name != "$type"}
    required = [name for name in request["required"] if name != "$type"]
    return {**request, "type": "object", "properties": properties, "required": required}


def _data(name: str, reply: Reply) -> Any:
    if not reply.ok:
        raise ServerRefused(name, reply)
    return reply.data
