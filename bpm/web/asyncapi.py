"""`GET /asyncapi.json`: the built-in types of events, as receivers of deliveries get them."""

from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bpm.events.asyncapi import asyncapi, described
from bpm.events.catalogue import EventCatalogue
from bpm.exact_json import write_json
from bpm.web.compressed_document import CompressedDocument


def asyncapi_routes(version: str, catalogue: EventCatalogue) -> list[BaseRoute]:
    """Return the route of the document about a catalogue; `version` is the product's."""

    @cache
    def document() -> CompressedDocument:
        json = write_json(asyncapi(described(catalogue), version))
        return CompressedDocument(json, "application/json", {"Cache-Control": "no-cache"})

    def serve(request: Request) -> Response:
        return document().response(request)

    return [Route("/asyncapi.json", serve)]
