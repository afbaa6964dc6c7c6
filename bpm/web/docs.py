"""`GET /docs/api`: the catalogue as a page for people, from the same source as the OpenAPI document."""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bpm.bus import Registry
from bpm.bus.catalogue import WITHIN, Catalogue, Entry, catalogue_of
from bpm.web.command import PATH
from bpm.web.compressed_document import CompressedDocument
from bpm.web.examples import example
from bpm.web.fields import Field, fields_of, type_name
from bpm.web.openapi import REFUSALS

if TYPE_CHECKING:
    from jinja2 import Environment

PAGES = Path(__file__).parent / "pages"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""Nothing on the page comes from outside, and nothing inline is run."""

_BREAKS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[^.])(?=\.)")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Described:
    """One message as the page shows it."""

    entry: Entry
    fields: Sequence[Field]
    result_type: str
    result_fields: Sequence[Field]
    curl: str
    answer: str


class ApiPage:
    """The page of a complete registry, rendered when it is first asked for."""

    def __init__(self, registry: Registry, version: str, base_url: str) -> None:
        """Take what to describe, the product's version, and the address that the examples name."""
        self._registry = registry
        self._version = version
        self._base_url = base_url

    @cached_property
    def html(self) -> str:
        """The page."""
        catalogue = catalogue_of(self._registry, WITHIN)
        entries = sorted(catalogue.entries, key=lambda entry: (entry.area, entry.name))
        areas = [
            (area.replace("_", " ") or "other", [_described(entry, catalogue, self._base_url) for entry in group])
            for area, group in groupby(entries, key=lambda entry: entry.area)
        ]
        return (
            _environment()
            .get_template("api.html")
            .render(areas=areas, path=PATH, statuses=REFUSALS, version=self._version, count=len(entries))
        )


def docs_routes(registry: Registry, version: str, base_url: str) -> list[BaseRoute]:
    """Return the routes of the page and of its style and script."""
    page = ApiPage(registry, version, base_url)

    @cache
    def document() -> CompressedDocument:
        return CompressedDocument(page.html.encode(), "text/html", HEADERS)

    def serve(request: Request) -> Response:
        return document().response(request)

    return [Route("/docs/api", serve), Mount("/docs/assets", StaticFiles(directory=PAGES / "assets"))]


def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # a tenth of a start that few pages need

    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"prose": _prose, "inline": _inline, "breakable": _breakable}
    return environment


def _described(entry: Entry, catalogue: Catalogue, base_url: str) -> Described:
    definitions = catalogue.definitions
    request = example(entry.request, definitions)
    body = json.dumps(request, ensure_ascii=False, indent=2 if len(request) > 1 else None)
    answer = {"success": True, "data": example(entry.result, definitions), "message": entry.succeeded}
    return Described(
        entry=entry,
        fields=[field for field in fields_of(entry.request, definitions) if field.path != "$type"],
        result_type=type_name(entry.result, definitions),
        result_fields=list(fields_of(entry.result, definitions)),
        curl=(
            f'curl {shlex.quote(base_url + PATH)} \\\n  -H "Authorization: Bearer $TOKEN" \\\n'
            f'  -H "Content-Type: application/json" \\\n  -d {shlex.quote(body)}'
        ),
        answer=json.dumps(answer, ensure_ascii=False, indent=2),
    )


def _prose(text: str) -> Markup:
    """Show a docstring: paragraphs at blank lines, code between backticks."""
    paragraphs = [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]
    return Markup("").join(Markup("<p>{}</p>").format(_inline(paragraph)) for paragraph in paragraphs)


def _inline(text: str) -> Markup:
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 escaped before the tags are added


def _breakable(name: str) -> Markup:
    """Let a long name break between its words, and a path between its steps."""
    return Markup("<wbr>").join(_BREAKS.split(name))
