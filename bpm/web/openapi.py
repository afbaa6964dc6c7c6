"""`GET /openapi.json`: the catalogue as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1)."""

from collections.abc import Iterable
from functools import cache, cached_property
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bpm.bus import Registry
from bpm.bus.catalogue import Catalogue, Entry, catalogue_of
from bpm.edge.openapi_operation import OpenApiOperation
from bpm.events.catalogue import WITHOUT_PROVIDERS, EventCatalogue
from bpm.exact_json import write_json
from bpm.web.command import PATH
from bpm.web.compressed_document import CompressedDocument
from bpm.web.dialects import describe_dialects
from bpm.web.event_webhooks import DELIVERY, event_webhooks
from bpm.web.examples import example
from bpm.web.generated_clients import plain
from bpm.web.openapi_paths import ERROR, PATHS, SCHEMAS, content, declared_paths, refusals

REFERENCE = "#/components/schemas/{model}"

REFUSALS = {
    400: "Not JSON, or not as the protocol asks",
    401: "No token, or a wrong, expired or revoked one",
    403: "The permission is missing",
    404: "There is no such message or thing",
    405: "Another method is needed",
    408: "The body did not arrive in time",
    409: "In conflict with the present state",
    413: "The body is over the limit",
    415: "The content type is not read here",
    422: "A field is invalid or unknown",
    429: "Too many requests",
    500: "Our fault; the request id finds it in the log",
    503: "Overloaded or stopping; try again",
}
"""What each status means, for all addresses."""

_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"const": "Bearer"}}},
    405: {"Allow": {"schema": {"type": "string"}}},
    429: {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}},
    503: {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}},
}

_REQUEST_ID = {"X-Request-Id": {"schema": {"type": "string"}, "description": "Finds the request in the log"}}

_ERROR_ANSWER = {
    "type": "object",
    "required": ["success", "data", "message", "errors"],
    "properties": {
        "success": {"const": False, "description": "That it was refused, or failed"},
        "data": {"description": "Always null"},  # a type of null alone is no class in C#
        "message": {"type": "string", "description": "What went wrong"},
        "errors": {"type": "array", "items": {"type": "string"}, "description": "One sentence for each problem"},
    },
}

_PARAMETERS = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
        "description": "The same key with the same body gets the first answer again, for 24 hours",
    },
    {"name": "X-Request-Id", "in": "header", "schema": {"type": "string"}, "description": "Comes back in the answer"},
]


class OpenApi:
    """The document of a complete registry, built when it is first asked for."""

    def __init__(
        self,
        registry: Registry,
        version: str,
        addresses: Iterable[OpenApiOperation] = (),
        events: EventCatalogue = WITHOUT_PROVIDERS,
        base_url: str = "",
    ) -> None:
        """Take what to describe: messages, the product's version, addresses that others declare, and events.

        Where the server is reached below a path, `base_url` says so.
        """
        self._path = urlsplit(base_url).path or "/"
        self._events = events
        self._addresses = tuple(addresses)
        self._registry = registry
        self._version = version

    @cached_property
    def json(self) -> bytes:
        """The document as it is sent."""
        return write_json(self.document())

    def document(self) -> dict[str, Any]:
        """Build the document."""
        catalogue = catalogue_of(self._registry, REFERENCE)
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "BPM Bus",
                "version": self._version,
                "description": "Everything is a message on one typed bus, named by `$type`.",
            },
            "servers": [{"url": self._path}],
            "security": [{"bearer": []}],
            "paths": plain(self._paths(catalogue)),
            "webhooks": plain(event_webhooks(self._events)),
            "components": {
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
                "responses": plain({str(status): _refusal(status) for status in REFUSALS}),
                "schemas": plain(_schemas(catalogue) | SCHEMAS | DELIVERY | describe_dialects().schemas),
            },
        }

    def _paths(self, catalogue: Catalogue) -> dict[str, Any]:
        declared = declared_paths(self._addresses)
        return {PATH: {"post": _send(catalogue)}, **PATHS, **declared, **describe_dialects().paths}


def openapi_routes(
    registry: Registry,
    version: str,
    addresses: Iterable[OpenApiOperation] = (),
    events: EventCatalogue = WITHOUT_PROVIDERS,
    base_url: str = "",
) -> list[BaseRoute]:
    """Return the route of the document."""
    openapi = OpenApi(registry, version, addresses, events, base_url)

    @cache
    def document() -> CompressedDocument:
        return CompressedDocument(openapi.json, "application/json", {"Cache-Control": "no-cache"})

    def serve(request: Request) -> Response:
        return document().response(request)

    return [Route("/openapi.json", serve)]


def _send(catalogue: Catalogue) -> dict[str, Any]:
    examples = {e.name: {"value": example(e.request, catalogue.definitions)} for e in catalogue.entries}
    body = {"application/json": {"schema": _reference("BusMessage"), "examples": examples}}
    done = {
        "description": "Done",
        "headers": {
            **_REQUEST_ID,
            "Idempotent-Replay": {"schema": {"const": "true"}, "description": "This answer was given before"},
        },
        "content": content(_reference("BusAnswer")),
    }
    return {
        "tags": ["bus"],
        "operationId": "send",
        "summary": "Send a command or a query",
        "parameters": _PARAMETERS,
        "requestBody": {"required": True, "content": body},
        "responses": {"200": done, **refusals(*REFUSALS)},
    }


def _schemas(catalogue: Catalogue) -> dict[str, Any]:
    schemas: dict[str, Any] = dict(catalogue.definitions)
    mapping: dict[str, str] = {}
    for entry in catalogue.entries:
        schemas[entry.name] = entry.request
        schemas[_answer_name(entry)] = _answer(entry)
        mapping |= {name: REFERENCE.format(model=entry.name) for name in (entry.name, *entry.aliases)}
    schemas["BusMessage"] = {
        "oneOf": [_reference(entry.name) for entry in catalogue.entries],
        "discriminator": {"propertyName": "$type", "mapping": mapping},
    }
    # the request decides which of them it is: two messages may well have the same answer
    schemas["BusAnswer"] = {"anyOf": [_reference(_answer_name(entry)) for entry in catalogue.entries]}
    schemas["BusError"] = _ERROR_ANSWER
    return schemas


def _answer(entry: Entry) -> dict[str, Any]:
    return {
        "type": "object",
        "description": f"The answer to {entry.name}",
        "required": ["success", "data", "message"],
        "properties": {
            "success": {"const": True, "description": "That it was done"},
            "data": {"description": "What was asked for", **entry.result},
            "message": {"type": "string", "description": "What was done", "examples": [entry.succeeded]},
        },
    }


def _answer_name(entry: Entry) -> str:
    return f"{entry.name}Answer"  # a message ends in Command or Query, and no view ends in CommandAnswer


def _refusal(status: int) -> dict[str, Any]:
    headers = {**_REQUEST_ID, **_HEADERS.get(status, {})}
    return {"description": REFUSALS[status], "headers": headers, "content": content(ERROR)}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=name)}
