"""Types of events as an AsyncAPI 3.0 document: what a subscription's receiver is sent, and how it is signed.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bpm.events.catalogue import EventCatalogue

JSON_SCHEMA = "application/schema+json;version=draft-2020-12"
EXAMPLE_MOMENT = "2026-01-31T09:30:00.000Z"

DESCRIPTION = """Each delivery is a POST of one event to a subscription's URL, signed as Standard Webhooks says.
A subscription may ask for another `signature`, for CloudEvents 1.0 (`format`), or for a body of its own (`transform`).
The same event can come more than once: `webhook-id` is the same then."""

HEADERS: Mapping[str, Any] = {
    "type": "object",
    "required": ["webhook-id"],
    "properties": {
        "webhook-id": {"type": "string", "description": "The event's id; the same whenever it is sent again"},
        "webhook-timestamp": {"type": "string", "description": "When it was sent, in seconds since 1970"},
        "webhook-signature": {
            "type": "string",
            "description": "`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body` with the bytes behind "
            "`whsec_`; several, between spaces, while secrets are exchanged",
        },
    },
}
"""The headers of Standard Webhooks 1.0; the id is there whatever signature a subscription has chosen."""


@dataclass(frozen=True, slots=True)
class EventDescription:
    """What is known of a type of event; `schema` is the JSON Schema of its data, None when that may be anything."""

    name: str
    text: str
    schema: Mapping[str, Any] | None
    example: Mapping[str, Any] | None


def described(catalogue: EventCatalogue) -> list[EventDescription]:
    """Return the types that an installation knows by itself."""
    return [EventDescription(kind.name, kind.description, None, kind.example) for kind in catalogue.kinds.values()]


def asyncapi(events: Iterable[EventDescription], version: str) -> dict[str, Any]:
    """Return the document of these types; `version` is the product's."""
    messages = {event.name: _message(event) for event in events}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "BPM Bus events", "version": version, "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {
            "deliveries": {
                "address": None,
                "description": "The URL of a subscription",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "deliver": {
                "action": "send",
                "channel": {"$ref": "#/channels/deliveries"},
                "summary": "Send an event to a receiver, which answers 2xx",
                "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
            }
        },
        "components": {"messages": messages, "schemas": {"DeliveryHeaders": HEADERS}},
    }


def _payload(event: EventDescription) -> dict[str, Any]:
    """Return the JSON Schema of a delivery's body."""
    data: Mapping[str, Any] = event.schema if event.schema is not None else {"type": "object"}
    return {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": event.name},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened"},
            "data": data,
        },
    }


def example_body(event: EventDescription) -> dict[str, Any]:
    """Return a body as it is sent."""
    return {"type": event.name, "timestamp": EXAMPLE_MOMENT, "data": event.example or {}}


def _message(event: EventDescription) -> dict[str, Any]:
    return {
        "name": event.name,
        "title": event.name,
        **({"summary": event.text} if event.text else {}),
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/DeliveryHeaders"},
        "payload": {"schemaFormat": JSON_SCHEMA, "schema": _payload(event)},
        "examples": [{"name": "delivery", "payload": example_body(event)}],
    }
