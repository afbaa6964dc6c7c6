"""Looks at the secrets that rules refer to: a new one counts, a missing one is told before a provider gives up."""

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Set
from hashlib import blake2b
from types import MappingProxyType
from typing import NamedTuple

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
"""How often it looks: a file that is put where it belongs, or has changed, counts from then on."""

MOST_NAMED = 3
NOBODY: Mapping[str, str] = MappingProxyType({})

log = structlog.get_logger("router")


class SecretWatch:
    """Looks every few seconds, in every process; what is missing is an event an hour and rule."""

    def __init__(self, bus: Bus, routes: RouteTable, references: References, clock: Clock) -> None:
        """Take what publishes, the rules, what reads their references, and the clock."""
        self._routes = routes
        self._resolve = references.resolver(INSTALLATION)
        self._events = HourlyEvents(bus, clock, MISSING_SECRET_EVENT, publisher_of("router", "router", INSTALLATION))
        self.unreadable = NOBODY
        """Why, by the key of each active rule that lacks a secret."""
        self._marks: dict[str, bytes] = {}
        self._key = secrets.token_bytes(32)
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
        """Read every secret that is referred to; tell what is missing since, is there again, or has changed."""
        referring = self._routes.references
        found = await asyncio.to_thread(self._read, frozenset[str]().union(*referring.values()))
        before, self.unreadable = self.unreadable, _faulty(referring, found.faults)
        for key in self.unreadable.keys() - before.keys():
            log.warning("a rule's secret can't be read; senders try again", rule=key, reason=self.unreadable[key])
        for key in before.keys() - self.unreadable.keys():
            log.info("a rule's secret can be read", rule=key)
        self._take_over(referring, found)
        for key, reason in self.unreadable.items():
            await self._events.tell(key, {"configKey": key, "reason": reason})

    def _take_over(self, referring: Mapping[str, Set[str]], found: "_Found") -> None:
        """Have rules whose secrets are others now made anew; one that is away counts as it was."""
        former = {name: mark for name, mark in self._marks.items() if name in found.marks or name in found.faults}
        self._marks = {**former, **found.marks}
        new = {name for name, mark in self._marks.items() if former.get(name) != mark}
        for key, names in referring.items():
            if names & new & former.keys():
                log.info("a rule's secret has changed", rule=key)
        self._routes.compile_anew(new)

    def _read(self, names: Iterable[str]) -> "_Found":
        marks, faults = dict[str, bytes](), dict[str, str]()
        for name in names:
            try:
                marks[name] = blake2b(self._resolve(name).encode(), key=self._key).digest()
            except ValueError as error:
                faults[name] = str(error)
        return _Found(marks, faults)


class _Found(NamedTuple):
    """What references lead to: by what each secret is known again, and why others can't be read."""

    marks: Mapping[str, bytes]
    faults: Mapping[str, str]


def _faulty(referring: Mapping[str, Set[str]], faults: Mapping[str, str]) -> Mapping[str, str]:
    """Return why a secret can't be read, the first of each rule that lacks one."""
    first = {key: min(names & faults.keys(), default=None) for key, names in referring.items()}
    return {key: f"{name}: {faults[name]}" for key, name in first.items() if name is not None}
