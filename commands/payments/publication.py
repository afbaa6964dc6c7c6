"""How this area publishes what happened."""

from collections.abc import Mapping
from typing import Any

from bpm.bus import Context
from bpm.security.permissions import PUBLISH_OWN


def publish(context: Context, event: str, data: Mapping[str, Any]) -> None:
    """Publish an event in the same transaction.

    It is a consequence of the payment, not a wish of the sender's, who therefore needs no leave to publish.
    """
    context.publish(event, data, context.principal.lending(PUBLISH_OWN))
