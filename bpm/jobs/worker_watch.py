"""Tells whether anybody runs the jobs of a database: this process, another one, or nobody.

Workers count their signs of life in a table. Whether a count still grows is seen by the watcher's own monotonic clock,
so that neither a clock that jumps nor two machines that differ make a dead worker look alive.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bpm.jobs.worker_tables import WorkerRow, worker_rows
from bpm.repeating import RepeatingTask
from bpm.store import Database

LOOK_SECONDS = 5.0
SILENT_SECONDS = 30.0
"""After so long without a sign of life a worker counts as gone, and a watcher that saw none says that none runs."""

ADVICE = "what is accepted waits; start `bpm worker` with the same settings, or this server without --no-worker"

log = structlog.get_logger("bpm.jobs")


@dataclass(slots=True)
class SeenWorker:
    """A worker's row when it was read last, and when its count was seen to grow; None if that was never seen."""

    row: WorkerRow
    grew_at: float | None = None


class WorkerWatch:
    """Looks at the workers' signs of life every few seconds, and logs when the last one is gone or one is back."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Take the database, and the clock by which seconds are told."""
        self._database = database
        self._monotonic = monotonic
        self._began = monotonic()
        self._seen: dict[str, SeenWorker] = {}
        self._told_missing = False
        failure = "the workers' signs of life can't be read"
        self._task = RepeatingTask("bpm-worker-watch", self.look, LOOK_SECONDS, first_after=0, failure=failure)

    def start(self) -> None:
        """Begin to look."""
        self._began = self._monotonic()
        self._task.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._task.stop()

    @property
    def alive(self) -> int | None:
        """How many workers live; None while it is too early to say that none does."""
        now = self._monotonic()
        count = sum(1 for each in self._seen.values() if each.grew_at is not None and _lives(each.grew_at, now))
        return count if count or not _lives(self._began, now) else None

    @property
    def is_missing(self) -> bool:
        """Whether nobody runs the jobs."""
        return self.alive == 0

    def describe(self) -> str:
        """Return in one sentence which workers live, or since when none does."""
        alive = self.alive
        if alive:
            return "runs elsewhere" if alive == 1 else f"{alive} run elsewhere"
        if alive is None:
            return "none was seen yet; this server has just begun to look"
        return f"no worker runs: {self._last_seen()}; {ADVICE}"

    async def look(self) -> None:
        """Read the signs of life, and log a change between some worker and none."""
        rows = await self._database.read(worker_rows)
        now = self._monotonic()
        self._seen = {row.id: self._seen_now(row, now) for row in rows}
        alive = self.alive
        if alive == 0 and not self._told_missing:
            log.warning("no worker runs", detail=f"{self._last_seen()}; {ADVICE}")
        elif alive and self._told_missing:
            log.info("a worker runs again", workers=alive)
        self._told_missing = alive == 0

    def _seen_now(self, row: WorkerRow, now: float) -> SeenWorker:
        before = self._seen.get(row.id)
        if before is None:
            return SeenWorker(row)
        return SeenWorker(row, before.grew_at if row.beats == before.row.beats else now)

    def _last_seen(self) -> str:
        if not self._seen:
            return f"none has been seen for the {self._monotonic() - self._began:.0f} seconds that this server looks"
        last = max(self._seen.values(), key=lambda each: (each.grew_at or 0, each.row.beat_at))
        name = f"the last one (process {last.row.pid} on {last.row.host})"
        if last.grew_at is None:
            return f"{name} was alive at {last.row.beat_at:%Y-%m-%dT%H:%M:%SZ} by its clock"
        return f"{name} was seen {self._monotonic() - last.grew_at:.0f} seconds ago"


def _lives(moment: float, now: float) -> bool:
    return now - moment <= SILENT_SECONDS
