"""Tells of work that waits too long, before somebody else has to: the event `queue.stale`."""

from bpm.bus import Bus
from bpm.bus.own_events import publisher_of
from bpm.clock import Clock
from bpm.events.catalogue import STALE_EVENT
from bpm.events.hourly import HourlyEvents
from bpm.jobs import JobQueue
from bpm.repeating import RepeatingTask
from bpm.security.permissions import INSTALLATION

EVERY_SECONDS = 60.0
STALE_SECONDS = 300.0
"""From when on the oldest job of a kind has been due for too long; the alert `BpmWorkWaits` has the same limit."""


class QueueWatch:
    """Looks at what is due and not begun once a minute, in every process, and publishes an event an hour and kind."""

    def __init__(self, bus: Bus, jobs: JobQueue, clock: Clock) -> None:
        """Take what publishes, what knows the jobs, and the clock."""
        self._database = bus.database
        self._jobs = jobs
        self._events = HourlyEvents(bus, clock, STALE_EVENT, publisher_of("jobs", "jobs", INSTALLATION))
        failure = "what waits can't be looked at"
        self._task = RepeatingTask("bpm-queue-watch", self.look, EVERY_SECONDS, failure=failure)

    def start(self) -> None:
        """Begin to look."""
        self._task.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._task.stop()

    async def look(self) -> None:
        """Publish for every kind of job whose oldest has waited too long, unless that was told within the hour."""
        backlog = await self._database.read(self._jobs.backlog)
        for kind, waiting in backlog.items():
            if waiting.oldest_seconds >= STALE_SECONDS:
                oldest = round(waiting.oldest_seconds)
                await self._events.tell(kind, {"kind": kind, "waiting": waiting.count, "oldestSeconds": oldest})
