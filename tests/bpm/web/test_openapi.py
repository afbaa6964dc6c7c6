"""The catalogue as an OpenAPI document and as a page."""

import json
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry as Resources
from referencing import Resource
from referencing.jsonschema import DRAFT202012
from starlette.applications import Starlette

from bpm.app.providers import provider_addresses
from bpm.bus import Registry
from bpm.bus.catalogue import catalogue_of
from bpm.web.command import PATH
from bpm.web.docs import HEADERS, docs_routes
from bpm.web.examples import example
from bpm.web.fields import fields_of
from bpm.web.openapi import OpenApi, openapi_routes

pytestmark = pytest.mark.anyio


@pytest.fixture
def document(registry: Registry) -> dict[str, Any]:
    return json.loads(OpenApi(registry, "1.2.3", provider_addresses()).json)


@pytest.fixture
async def pages(registry: Registry) -> AsyncIterator[httpx.AsyncClient]:
    routes = [
        *openapi_routes(registry, "1.2.3", provider_addresses()),
        *docs_routes(registry, "1.2.3", "https://bpm.example"),
    ]
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://bpm") as client:
        yield client


def schema_of(document: dict[str, Any], name: str) -> Draft202012Validator:
    resource: Resource[Any] = DRAFT202012.create_resource(document)
    reference = {"$ref": f"urn:bpm#/components/schemas/{name}"}
    resources = Resources[Any]().with_resource("urn:bpm", resource)
    return Draft202012Validator(reference, registry=resources)


def test_the_document_is_openapi(document: dict[str, Any]) -> None:
    """The document is valid OpenAPI 3.1 by an independent validator."""
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["version"] == "1.2.3"


def test_every_message_is_told_by_its_type(document: dict[str, Any]) -> None:
    """The request is one of all messages, told apart by `$type`, aliases too."""
    message = document["components"]["schemas"]["BusMessage"]
    assert {"$ref": "#/components/schemas/PlaceOrderCommand"} in message["oneOf"]
    assert len(message["oneOf"]) == 5
    assert message["discriminator"]["propertyName"] == "$type"
    assert message["discriminator"]["mapping"]["SubmitOrderCommand"] == "#/components/schemas/PlaceOrderCommand"


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ({"$type": "PlaceOrderCommand", "orderNumber": "A-1"}, True),
        ({"$type": "SubmitOrderCommand", "orderNumber": "A-1"}, True),
        ({"$type": "PlaceOrderCommand", "orderNumber": "A-1", "lines": [{"item": "x", "quantity": 2}]}, True),
        ({"$type": "PlaceOrderCommand"}, False),
        ({"$type": "PlaceOrderCommand", "orderNumber": ""}, False),
        ({"$type": "PlaceOrderCommand", "orderNumber": "A-1", "colour": "red"}, False),
        ({"$type": "GetOrderQuery", "id": 0}, False),
        ({"$type": "GetOrderListQuery", "pageSize": 201}, False),
        ({"$type": "Unknown"}, False),
        ({}, False),
    ],
)
async def test_the_request_schema_says_what_the_bus_does(
    client: httpx.AsyncClient, document: dict[str, Any], body: dict[str, Any], valid: bool
) -> None:
    """A body is valid by the document exactly if the bus reads it."""
    response = await client.post(PATH, json=body)
    assert schema_of(document, "BusMessage").is_valid(body) is valid
    assert (response.status_code in {200, 404} and response.json()["message"] != "Unknown $type") is valid


async def test_answers_are_as_documented(client: httpx.AsyncClient, document: dict[str, Any]) -> None:
    """Real answers match the documented schema of their message, and real refusals that of errors."""
    placed = await client.post(PATH, json={"$type": "PlaceOrderCommand", "orderNumber": "A-1"})
    schema_of(document, "PlaceOrderCommandAnswer").validate(placed.json())
    listed = await client.post(PATH, json={"$type": "GetOrderListQuery"})
    schema_of(document, "GetOrderListQueryAnswer").validate(listed.json())
    schema_of(document, "BusAnswer").validate(listed.json())
    refused = await client.post(PATH, json={"$type": "PlaceOrderCommand"})
    schema_of(document, "BusError").validate(refused.json())
    assert not schema_of(document, "BusAnswer").is_valid(refused.json())


def test_every_status_of_the_table_is_documented(document: dict[str, Any]) -> None:
    """The bus's address lists every status that it can answer with, with their headers."""
    responses = document["paths"][PATH]["post"]["responses"]
    assert sorted(map(int, responses)) == [200, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 500, 503]
    shared = document["components"]["responses"]
    assert "WWW-Authenticate" in shared["401"]["headers"]
    assert "Retry-After" in shared["429"]["headers"]
    assert "Retry-After" in shared["503"]["headers"]
    assert all("X-Request-Id" in response["headers"] for response in shared.values())


def test_accounts_webhooks_and_health_are_documented_too(document: dict[str, Any]) -> None:
    """Every address a client may use stands in the document, and says whether it needs a token."""
    paths = document["paths"]
    assert {"/api/auth/token", "/api/auth/revoke", "/api/webhooks/{path}", "/api/webhooks/mono/callback"} <= set(paths)
    assert {"/api/webhooks/remita", "/api/webhooks/remita/collection-notification"} <= set(paths)
    assert {"/livez", "/readyz"} <= set(paths)
    assert document["security"] == [{"bearer": []}]
    assert paths["/api/auth/token"]["post"]["security"] == [{}]


def test_examples_are_valid(registry: Registry, document: dict[str, Any]) -> None:
    """The example of every message and of every answer matches its own schema."""
    examples = document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert set(examples) == {registration.name for registration in registry}
    for name, shown in examples.items():
        schema_of(document, name).validate(shown["value"])
    catalogue = catalogue_of(registry)
    for entry in catalogue.entries:
        schema = catalogue.standing_alone(entry.result)
        Draft202012Validator(schema).validate(example(entry.result, catalogue.definitions))


def test_an_example_of_a_number_is_a_usual_one() -> None:
    """The lowest number of 64 bits, which a field may take, says nothing."""
    assert example({"type": "integer", "minimum": -(2**63)}, {}) == 0
    assert example({"type": "integer", "minimum": 3}, {}) == 3


def test_an_example_of_a_schema_within_itself_ends() -> None:
    """A recursive schema has an example of finite depth, and finitely many fields."""
    children = {"type": "array", "items": {"$ref": "#/$defs/Tree"}}
    tree = {"type": "object", "required": ["children"], "properties": {"children": children}}
    assert len(json.dumps(example(tree, {"Tree": tree}))) < 500
    assert len(list(fields_of(tree, {"Tree": tree}))) < 20


def test_nested_fields_are_shown_by_path(registry: Registry) -> None:
    """Fields come with path, type, whether they are required, and rules in words."""
    catalogue = catalogue_of(registry)
    entries = {entry.name: entry for entry in catalogue.entries}
    place = {f.path: f for f in fields_of(entries["PlaceOrderCommand"].request, catalogue.definitions)}
    assert place["orderNumber"].required
    assert place["orderNumber"].rules == ("1 to 50 characters",)
    assert place["lines"].type == "array of object"
    assert place["lines[].quantity"].type == "integer"
    assert place["lines[].quantity"].rules == ()
    listed = {f.path: f for f in fields_of(entries["GetOrderListQuery"].request, catalogue.definitions)}
    assert listed["pageSize"].rules == ("1 to 200", "default `10`")
    assert listed["searchText"].type == "string or null"
    assert listed["sortDirection"].rules == ("one of `asc`, `desc`", 'default `"desc"`')


async def test_the_document_is_served(pages: httpx.AsyncClient, document: dict[str, Any]) -> None:
    """`GET /openapi.json` is the document, without a token."""
    response = await pages.get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    assert response.json() == document


class Links(HTMLParser):
    """Everything a page loads or links to, every id, and whatever a strict policy would not run."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.addresses += [value for name, value in attrs if name in {"href", "src"} and value]
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.inline += [name for name in named if name.startswith("on") or name == "style"]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in named) else []


async def test_the_page_needs_nothing_from_outside(pages: httpx.AsyncClient) -> None:
    """Every address on the page is our own and answers, and nothing inline needs the policy to be loosened."""
    response = await pages.get("/docs/api")
    assert response.status_code == 200
    assert response.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    assert "unsafe" not in response.headers["content-security-policy"]
    links = Links()
    links.feed(response.text)
    assert links.inline == []
    assert len(links.ids) == len(set(links.ids))
    for address in set(links.addresses):
        assert not urlsplit(address).netloc, address
        assert not address.startswith("/"), address  # it would leave the path below which the page may be reached
        if address.startswith("#"):
            assert address[1:] in links.ids
        else:
            assert (await pages.get(urljoin("/docs/api", address))).status_code == 200, address


async def test_the_styles_and_script_load_nothing(pages: httpx.AsyncClient) -> None:
    """Neither the style nor the script names an outside address."""
    for name in ("api.css", "api.js"):
        text = (await pages.get(f"/docs/assets/{name}")).text
        assert not re.search(r"https?:|url\(|@import|import ", text)


async def test_the_page_shows_every_message(pages: httpx.AsyncClient, registry: Registry) -> None:
    """Every message stands on the page with permission, description and a request to copy."""
    html = (await pages.get("/docs/api")).text
    for registration in registry:
        assert f'id="{registration.name}"' in html
    assert "orders:write" in html
    assert "Place an order; its <code>orderNumber</code> must be new." in html
    assert "curl https://bpm.example/api/bpm/cmd" in html


@pytest.mark.parametrize("path", ["/docs/assets/../api.html", "/docs/assets/%2e%2e/api.html", "/docs/assets/"])
async def test_only_the_assets_are_served(pages: httpx.AsyncClient, path: str) -> None:
    """No path leads out of the folder of the assets."""
    assert (await pages.get(path)).status_code == 404


def test_the_products_document_is_openapi() -> None:
    """The validator accepts the product's own messages, and every default is a value that may be sent."""
    product = Registry()
    product.discover("commands")
    document = json.loads(OpenApi(product, "1.2.3", provider_addresses()).json)
    OpenAPIV31SpecValidator(document).validate()
    schemas = document["components"]["schemas"]
    wrong = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, about in schema.get("properties", {}).items()
        if "default" in about and not is_valid(document, about, about["default"])
    ]
    assert wrong == []


def is_valid(document: dict[str, Any], schema: dict[str, Any], value: Any) -> bool:
    """Tell whether a value satisfies a schema that refers to its document."""
    return Draft202012Validator({"components": document["components"], **schema}).is_valid(value)


def test_no_message_has_two_names_that_clients_write_alike() -> None:
    """Generators drop the `$` of `$type`: a field called `type` beside it would be the same name twice."""
    product = Registry()
    product.discover("commands")
    schemas = json.loads(OpenApi(product, "1.2.3", provider_addresses()).json)["components"]["schemas"]
    clashing = {
        name
        for name, schema in schemas.items()
        if len({re.sub(r"\W", "", field).lower() for field in schema.get("properties", {})})
        < len(schema.get("properties", {}))
    }
    assert clashing == set()
