"""Publishes what goes on for long: an event an hour and subject, however many processes see it."""

from collections.abc import Mapping
from typing import Any

from bpm.bus import Bus
from bpm.bus.envelope import Envelope
from bpm.bus.own_events import PUBLISH
from bpm.clock import Clock
from bpm.errors import Conflict
from bpm.security.permissions import Principal

PROOF = 16
"""How many characters of a key only this installation can make."""


class HourlyEvents:
    """One type of event, published by a part of the product."""

    def __init__(self, bus: Bus, clock: Clock, event: str, publisher: Principal) -> None:
        """Take what publishes, the clock that tells the hour, the type, and as whom."""
        self._bus = bus
        self._clock = clock
        self._event = event
        self._publisher = publisher
        self._hour = ""
        self._told: set[str] = set()

    async def tell(self, subject: str, data: Mapping[str, Any]) -> None:
        """Publish, unless the subject was told of within this hour, here or by another process."""
        hour = f"{self._clock():%Y-%m-%dT%H}"
        if hour != self._hour:
            self._hour, self._told = hour, set()
        if subject in self._told:
            return
        key = f"{self._event} {subject} {hour}"
        proof = self._bus.box.fingerprint(key)[:PROOF]  # whoever may publish could have taken a key that is guessed
        fields = {"event": self._event, "data": data, "idempotencyKey": f"{key} {proof}"}
        message = self._bus.registry.decode(PUBLISH, fields)
        outcome = await self._bus.execute(Envelope(message, self._publisher))
        if outcome.error is not None and not isinstance(outcome.error, Conflict):
            raise outcome.error
        self._told.add(subject)
