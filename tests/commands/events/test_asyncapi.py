"""The types of events as an AsyncAPI document."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bpm.app.providers import provider_events
from bpm.events.catalogue import EventCatalogue
from tests.commands.sender import MessageSender, stranger

pytestmark = pytest.mark.anyio

KNOWN = set(EventCatalogue(provider_events()).kinds)

PAYOUT: dict[str, Any] = {
    "event": "payout.sent",
    "description": "Money is on its way.",
    "schema": {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "string"}}},
    "example": {"amount": "12.50"},
}


def validator_of(message: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(message["payload"]["schema"])


async def test_every_type_is_a_message_of_the_one_channel(sender: MessageSender) -> None:
    """Built-in types and registered ones; what a message gives as an example satisfies its schema."""
    await sender.send("RegisterEventTypeCommand", **PAYOUT)
    made = await sender.send("GetAsyncApiQuery")
    document, messages = made["document"], made["document"]["components"]["messages"]
    assert document["asyncapi"] == "3.0.0"
    assert made["leftOut"] == 0
    assert set(messages) == KNOWN | {"payout.sent"}
    channel = document["channels"]["deliveries"]
    assert channel["messages"] == {name: {"$ref": f"#/components/messages/{name}"} for name in messages}
    assert document["operations"]["deliver"]["channel"] == {"$ref": "#/channels/deliveries"}
    for message in messages.values():
        validator_of(message).validate(message["examples"][0]["payload"])


async def test_a_registered_schema_is_that_of_the_data(sender: MessageSender) -> None:
    """Data that would be refused when it is published does not satisfy the document."""
    await sender.send("RegisterEventTypeCommand", **PAYOUT)
    made = await sender.send("GetAsyncApiQuery", events=["payout.*"])
    (message,) = made["document"]["components"]["messages"].values()
    assert message["summary"] == PAYOUT["description"]
    body = message["examples"][0]["payload"]
    assert validator_of(message).is_valid(body)
    assert not validator_of(message).is_valid({**body, "data": {"amount": 12}})
    assert not validator_of(message).is_valid({**body, "type": "payout.failed"})


async def test_another_organisation_sees_its_own_types_alone(sender: MessageSender) -> None:
    await sender.send("RegisterEventTypeCommand", **PAYOUT)
    made = await sender.send("GetAsyncApiQuery", stranger())
    assert set(made["document"]["components"]["messages"]) == KNOWN


async def test_a_document_that_would_be_too_large_ends_early(sender: MessageSender) -> None:
    """It says how many types are not in it; each of them can be asked for."""
    large = {"note": "x" * 250_000}
    names = [f"large.n{number:02}" for number in range(40)]
    for name in names:
        await sender.send("RegisterEventTypeCommand", event=name, example=large)
    made = await sender.send("GetAsyncApiQuery", events=["large.*"])
    told = list(made["document"]["components"]["messages"])
    assert 0 < made["leftOut"] == len(names) - len(told)
    rest = await sender.send("GetAsyncApiQuery", events=names[len(told) :])
    assert [*told, *rest["document"]["components"]["messages"]] == names
