"""What a subscription's receiver is sent, as the `webhooks` of the OpenAPI document."""

from typing import Any

from bpm.events.asyncapi import HEADERS, EventDescription, described, example_body
from bpm.events.catalogue import EventCatalogue

DELIVERY = {
    "EventDelivery": {
        "type": "object",
        "description": "One event, as it is sent to a subscription that asks for no other form",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "description": "The name of the event"},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened"},
            "data": {"type": "object", "description": "What is told of it"},
        },
    }
}
"""The body of every delivery, by its name."""

_PARAMETERS = [
    {
        "name": name,
        "in": "header",
        "required": name in HEADERS["required"],
        "schema": {"type": schema["type"]},
        "description": schema["description"],
    }
    for name, schema in HEADERS["properties"].items()
]


def event_webhooks(catalogue: EventCatalogue) -> dict[str, Any]:
    """Return the built-in types of events, each as a request to its receiver."""
    return {event.name: {"post": _operation(event)} for event in described(catalogue)}


def _operation(event: EventDescription) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/EventDelivery"}
    return {
        "tags": ["events"],
        "operationId": f"receive_{event.name.replace('.', '_')}",
        "summary": event.text,
        "security": [],
        "parameters": _PARAMETERS,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example_body(event)}},
        },
        "responses": {"2XX": {"description": "Taken; any other answer is tried again later"}},
    }
