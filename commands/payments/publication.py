"""How this area publishes what happened."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bpm.bus import Context


def publish(context: Context, event: str, data: Mapping[str, Any]) -> None:
    """Publish an event in the same transaction.

    It is a consequence of the payment, not a wish of the sender's, who therefore needs no leave to publish.
    """
    principal = replace(context.principal, permissions=context.principal.permissions | {"events:write"})
    context.call("PublishEventCommand", {"event": event, "data": data}, principal=principal)
