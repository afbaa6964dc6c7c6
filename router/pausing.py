"""Paused rules: what comes is accepted and kept, and executed in its order when the rule goes on."""

import time
from dataclasses import dataclass

from bpm.errors import Unavailable
from bpm.store import Database
from router.tables import waiting

MAX_REQUESTS = 100_000
MAX_BYTES = 1024 * 1024 * 1024
"""How many requests, and how many bytes of their bodies, a paused rule holds; what is over is not accepted."""
COUNTED_SECONDS = 10.0
"""How long a count holds; what this process accepts meanwhile is added, what others do is not."""
RETRY_SECONDS = 60


@dataclass(slots=True)
class Held:
    """What a paused rule held when it was counted, and what was accepted since."""

    requests: int
    size: int
    counted_at: float


class PausedRules:
    """Keeps what is accepted for paused rules within bounds, so that none that is forgotten fills the disk."""

    def __init__(self, database: Database) -> None:
        """Take where requests are."""
        self._database = database
        self._held: dict[int, Held] = {}

    async def require_room(self, config_id: int, size: int) -> None:
        """Count a request that a paused rule is to hold; raises `Unavailable` when it holds all that it may.

        A provider sends again what is answered 503, and nothing is said to be accepted that is not kept.
        """
        held = self._held.get(config_id)
        if held is None or time.monotonic() - held.counted_at > COUNTED_SECONDS:
            counted = await self._database.read(lambda tx: waiting.count_held(tx, config_id, MAX_REQUESTS))
            held = self._held[config_id] = Held(counted.requests, counted.size, time.monotonic())
        if held.requests >= MAX_REQUESTS or held.size + size > MAX_BYTES:
            raise Unavailable(
                f"the webhook is paused and holds all it may ({MAX_REQUESTS} requests, {MAX_BYTES} bytes)",
                retry_after=RETRY_SECONDS,
            )
        held.requests += 1
        held.size += size
