"""The reference of messages: every field says what it means, and every example is one that the server takes."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest

from bpm.app.providers import provider_addresses
from bpm.bus import Registry
from bpm.bus.catalogue import catalogue_of
from bpm.bus.field_descriptions import FIELD_DESCRIPTIONS
from bpm.testing import RunningApp, running_app
from bpm.web.examples import example
from bpm.web.openapi import OpenApi

pytestmark = pytest.mark.anyio

REFUSED = frozenset({400, 401, 422, 500})
REMITA = "BPM_REMITA__MERCHANT_ID and BPM_REMITA__API_KEY must be set"
UNSET = {
    "ConfirmRemitaPaymentCommand": REMITA,
    "ConfirmRemitaCollectionCommand": REMITA,
    "ChangeOwnPasswordCommand": "currentPassword: is wrong",
    "ConfirmSubscriptionCommand": "the subscription can't be confirmed: the address is not https, or of none of the "
    "allowed hosts",
}
"""What an installation without these settings refuses, a password that no example knows, and an address of nobody."""
LAST = ("EndAllSessionsCommand", "DisableUserCommand")
"""What ends the sender's own session."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    registry = Registry()
    registry.discover("commands")
    return registry


@pytest.fixture(scope="module")
async def app() -> AsyncIterator[RunningApp]:
    """An application that looks for no receivers."""
    async with running_app(delivery={"probe": "off"}) as app:
        yield app


def test_every_field_says_what_it_means(registry: Registry) -> None:
    """No property of the OpenAPI document is without a description; a docstring below the field gives it one."""
    document = OpenApi(registry, "1.2.3", provider_addresses()).document()
    assert sorted(silent_fields(document["components"]["schemas"], "")) == []


def test_a_word_for_everywhere_is_one_of_a_field(registry: Registry) -> None:
    """What the words of fields explain, there are fields of."""
    names = {name for entry in registry for name in entry.message_type.model_fields}
    document = OpenApi(registry, "1.2.3", provider_addresses()).json.decode()
    assert [name for name in FIELD_DESCRIPTIONS if name not in names and f'"{camel(name)}":' not in document] == []


async def test_the_server_takes_every_example(registry: Registry, app: RunningApp) -> None:
    """Each example of the catalogue is sent; what it names may be missing, but nothing of it is wrong."""
    catalogue = catalogue_of(registry)
    wrong: dict[str, Any] = {}
    for entry in sorted(catalogue.entries, key=lambda entry: LAST.index(entry.name) + 1 if entry.name in LAST else 0):
        if entry.name in LAST:
            await app.login()
        fields = example(entry.request, catalogue.definitions)
        reply = await app.send(fields.pop("$type"), fields)
        if reply.status in REFUSED:
            wrong[entry.name] = reply.errors[0].partition(" to ")[0] if reply.errors else reply.status
    assert wrong == UNSET


def silent_fields(schema: Any, path: str) -> Iterator[str]:
    """Return the places of properties without a description."""
    if isinstance(schema, list):
        for item in cast("list[Any]", schema):
            yield from silent_fields(item, path)
    if not isinstance(schema, dict):
        return
    parts = cast("dict[str, Any]", schema)
    for name, inside in cast("dict[str, Any]", parts.get("properties", {})).items():
        if "description" not in inside:
            yield f"{path}.{name}"
    for name, inside in parts.items():
        yield from silent_fields(inside, f"{path}.{name}")


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)
