"""An application's query and command that take as long as a test lets them."""

import threading
import time

from bpm.bus import Command, Context, Query, View, handles
from bpm.bus.costs import SLOW_SECONDS

SECONDS = 60
released = threading.Semaphore(0)
begun: list[str] = []
"""The names of those that were begun."""


class HeldQueryView(View):
    """What was held."""

    name: str


class HeldQuery(Query[HeldQueryView]):
    """Wait in the thread that reads."""

    permission = "inbound:read"

    name: str
    """What it is known by."""


@handles
def hold(query: HeldQuery, context: Context) -> HeldQueryView:
    """Begin, and wait to be released."""
    begun.append(query.name)
    released.acquire(timeout=SECONDS)
    return HeldQueryView(name=query.name)


class HeldCommand(Command[HeldQueryView]):
    """Wait in the thread that writes."""

    permission = "events:write"

    name: str
    """What it is known by; `slow` takes a while and is not held."""


@handles
def hold_writer(command: HeldCommand, context: Context) -> HeldQueryView:
    """Begin, and wait to be released."""
    begun.append(command.name)
    if command.name == "slow":
        time.sleep(2 * SLOW_SECONDS)
    else:
        released.acquire(timeout=SECONDS)
    return HeldQueryView(name=command.name)
