"""`GET /asyncapi.json`: the built-in types of events, as receivers of deliveries get them."""

from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bpm.events.asyncapi import BUILT_IN_EVENTS, asyncapi
from bpm.exact_json import write_json
from bpm.web.packed import PackedDocument


def asyncapi_routes(version: str) -> list[BaseRoute]:
    """Return the route of the document; `version` is the product's."""

    @cache
    def document() -> PackedDocument:
        json = write_json(asyncapi(BUILT_IN_EVENTS, version))
        return PackedDocument(json, "application/json", {"Cache-Control": "no-cache"})

    def serve(request: Request) -> Response:
        return document().response(request)

    return [Route("/asyncapi.json", serve)]
