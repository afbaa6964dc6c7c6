"""An application's query that takes as long as a test lets it."""

import threading

from bpm.bus import Context, Query, View, handles

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
