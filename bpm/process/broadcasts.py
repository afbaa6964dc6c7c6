"""A signal on its way to those who listened when it was sent."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MOST_LISTENERS = 2_000
"""Maximum number of listeners that one message names; the next message names the others."""


def signal_messages(
    name: str, variables: Mapping[str, Any], listeners: Sequence[str], *, begins: bool
) -> Iterator[dict[str, Any]]:
    """Give the fields of the messages that tell a signal to some listeners; the first may begin processes."""
    for first in range(0, len(listeners), MOST_LISTENERS) or (0,):
        yield {
            "signalName": name,
            "variables": dict(variables),
            "listeners": list(listeners[first : first + MOST_LISTENERS]),
            "begins": begins and not first,
        }
