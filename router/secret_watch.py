"""Tells of secrets that rules refer to and that can't be read, before a provider gives up: `webhook.secret.missing`."""

import asyncio
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import structlog

from bpm.bus import Bus
from bpm.bus.own_events import publisher_of
from bpm.clock import Clock
from bpm.events.catalogue import MISSING_SECRET_EVENT
from bpm.events.hourly import HourlyEvents
from bpm.repeating import RepeatingTask
from bpm.security.permissions import INSTALLATION
from bpm.security.references import References
from router.route_table import RouteTable

EVERY_SECONDS = 10.0
"""How often it looks: a file that is put where it belongs counts from then on, a variable from the next start."""

MOST_NAMED = 3
NOBODY: Mapping[str, str] = MappingProxyType({})

log = structlog.get_logger("router")


class SecretWatch:
    """Looks every few seconds, in every process, and publishes an event an hour and rule."""

    def __init__(self, bus: Bus, routes: RouteTable, references: References, clock: Clock) -> None:
        """Take what publishes, the rules, what reads their references, and the clock."""
        self._routes = routes
        self._resolve = references.resolver(INSTALLATION)
        self._events = HourlyEvents(bus, clock, MISSING_SECRET_EVENT, publisher_of("router", "router", INSTALLATION))
        self.unreadable = NOBODY
        """Why, by the key of each active rule that lacks a secret."""
        failure = "the secrets that rules refer to can't be looked at"
        self._task = RepeatingTask("bpm-secret-watch", self.look, EVERY_SECONDS, first_after=0, failure=failure)

    def start(self) -> None:
        """Begin to look."""
        self._task.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._task.stop()

    def standing(self) -> tuple[bool, str]:
        """Tell whether every secret can be read, and which rules lack one, the first few by name."""
        if not self.unreadable:
            return True, "those that rules refer to can be read"
        sentences = [f"{key}: {reason}" for key, reason in sorted(self.unreadable.items())]
        more = len(sentences) - MOST_NAMED
        return False, "; ".join([*sentences[:MOST_NAMED], *([f"and {more} more rules"] if more > 0 else [])])

    async def look(self) -> None:
        """Read every secret that is referred to; log what is missing since, and is there again, and publish."""
        before, self.unreadable = self.unreadable, await asyncio.to_thread(self._find, self._routes.references)
        for key in self.unreadable.keys() - before.keys():
            log.warning("a rule's secret can't be read; senders try again", rule=key, reason=self.unreadable[key])
        for key in before.keys() - self.unreadable.keys():
            log.info("a rule's secret can be read", rule=key)
        self._routes.compile_anew()
        for key, reason in self.unreadable.items():
            await self._events.tell(key, {"configKey": key, "reason": reason})

    def _find(self, references: Mapping[str, Iterable[str]]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for key, names in references.items():
            for name in sorted(names):
                try:
                    self._resolve(name)
                except ValueError as error:
                    found.setdefault(key, f"{name}: {error}")
        return found
