"""What the providers declare and the platform describes: their fixed addresses and their types of events."""

from bpm.edge.openapi_operation import OpenApiOperation
from bpm.events.catalogue import EventKind
from router.providers import declarations


def provider_addresses() -> list[OpenApiOperation]:
    """Return the fixed addresses that the providers declare."""
    return [address for declaration in declarations() for address in declaration.addresses]


def provider_events() -> list[EventKind]:
    """Return the types of events that the providers declare."""
    return [kind for declaration in declarations() for kind in declaration.events]
