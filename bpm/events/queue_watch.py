"""Tells of work that waits too long, before somebody else has to: the event `queue.stale`."""

from datetime import datetime

from bpm.bus import Bus
from bpm.bus.envelope import Envelope
from bpm.bus.own_events import PUBLISH, publisher_of
from bpm.clock import Clock
from bpm.errors import Conflict
from bpm.events.catalogue import STALE_EVENT
from bpm.jobs import JobQueue
from bpm.jobs.interface import Backlog
from bpm.repeating import RepeatingTask
from bpm.security.permissions import INSTALLATION

EVERY_SECONDS = 60.0
STALE_SECONDS = 300.0
"""From when on the oldest job of a kind has been due for too long; the alert `BpmWorkWaits` has the same limit."""


class QueueWatch:
    """Looks at what is due and not begun once a minute, in every process, and publishes an event an hour and kind."""

    def __init__(self, bus: Bus, jobs: JobQueue, clock: Clock) -> None:
        """Take what publishes, what knows the jobs, and the clock."""
        self._bus = bus
        self._jobs = jobs
        self._clock = clock
        self._told: dict[str, str] = {}
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
        backlog = await self._bus.database.read(self._jobs.backlog)
        hour = _hour(self._clock())
        for kind, waiting in backlog.items():
            if waiting.oldest_seconds >= STALE_SECONDS and self._told.get(kind) != hour:
                await self._publish(kind, waiting, hour)
                self._told[kind] = hour

    async def _publish(self, kind: str, waiting: Backlog, hour: str) -> None:
        data = {"kind": kind, "waiting": waiting.count, "oldestSeconds": round(waiting.oldest_seconds)}
        fields = {"event": STALE_EVENT, "data": data, "idempotencyKey": f"{STALE_EVENT} {kind} {hour}"}
        message = self._bus.registry.decode(PUBLISH, fields)
        outcome = await self._bus.execute(Envelope(message, publisher_of("jobs", "jobs", INSTALLATION)))
        if outcome.error is not None and not isinstance(outcome.error, Conflict):  # another process has told it
            raise outcome.error


def _hour(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H}"
