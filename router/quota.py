"""How many refused requests are kept: bounded for each organisation and day, and within that by cause and source."""

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from datetime import date

from bpm.security.net import group_of
from bpm.settings import QuarantineSettings

PER_SOURCE = 100
"""How many of a day's requests refused for one cause may come from one address, or one /64 of IPv6."""
SHARE_OF_CAUSE = 0.5
"""What part of a day's room one cause may take, so that those who guess paths leave room for the others."""
MAX_SOURCES = 10_000
AWAITED = "awaited"
"""What is counted, instead of its cause, of requests that strangers can't send."""


@dataclass(slots=True)
class Day:
    """What was kept of an organisation's refused requests on a day, and how many were not."""

    day: date
    requests: int = 0
    bytes: int = 0
    not_kept: int = 0
    requests_of: Counter[str] = field(default_factory=Counter[str])
    bytes_of: Counter[str] = field(default_factory=Counter[str])


class Quota:
    """Counts what this process keeps of refused requests, so that a stranger can't fill the disk."""

    def __init__(self, settings: QuarantineSettings) -> None:
        """Take the bounds of a day."""
        self.requests_per_day = settings.requests_per_day
        self.bytes_per_day = settings.bytes_per_day
        self._days: dict[int, Day] = {}
        self._sources: OrderedDict[tuple[int, str, str], tuple[date, int]] = OrderedDict()

    def allows(
        self, organization_id: int, cause: str, address: str, size: int, today: date, *, is_awaited: bool = False
    ) -> bool:
        """Count one more request refused for `cause`, and tell whether it is to be kept.

        One that `is_awaited`, proven to be for a rule that is switched off, has no bound for its source, because
        providers have few, and finds room of its own beside the day's, which strangers can fill.
        """
        kept = self.of(organization_id, today)
        cause = AWAITED if is_awaited else cause
        source = (organization_id, cause, address)
        if not self._has_room(kept, cause, size) or not (is_awaited or self._has_share(source, today)):
            kept.not_kept += 1
            return False
        kept.requests += 1
        kept.bytes += size
        kept.requests_of[cause] += 1
        kept.bytes_of[cause] += size
        return True

    def of(self, organization_id: int, today: date) -> Day:
        """Return what was kept today of an organisation's refused requests."""
        known = self._days.get(organization_id)
        if known is None or known.day != today:
            known = self._days[organization_id] = Day(today)
        return known

    def _has_room(self, kept: Day, cause: str, size: int) -> bool:
        share_is_left = (
            kept.requests_of[cause] < self.requests_per_day * SHARE_OF_CAUSE
            and kept.bytes_of[cause] + size <= self.bytes_per_day * SHARE_OF_CAUSE
        )
        return share_is_left and (cause == AWAITED or self._has_room_for_strangers(kept, size))

    def _has_room_for_strangers(self, kept: Day, size: int) -> bool:
        requests, used = kept.requests - kept.requests_of[AWAITED], kept.bytes - kept.bytes_of[AWAITED]
        return requests < self.requests_per_day and used + size <= self.bytes_per_day

    def _has_share(self, source: tuple[int, str, str], today: date) -> bool:
        organization_id, cause, address = source
        name = (organization_id, cause, group_of(address))
        day, seen = self._sources.get(name, (today, 0))
        seen = seen if day == today else 0
        if seen >= PER_SOURCE:
            return False
        self._sources[name] = (today, seen + 1)
        self._sources.move_to_end(name)
        if len(self._sources) > MAX_SOURCES:
            self._sources.popitem(last=False)
        return True
