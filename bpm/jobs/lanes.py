"""Lanes: at most so many jobs of one name under way, started in the order in which they came.

A job that finds its lane full waits on a ticket without a token. Whoever leaves promotes the next in the same
transaction, so nothing is lost with a process. A job stays in its lane between two attempts: in a lane one job
wide the next one starts when the one in front is done or dead, and not before.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from bpm.clock import Clock
from bpm.jobs import tickets
from bpm.jobs.port import Job
from bpm.store import Transaction

MAX_REPAIRED = 200
"""How many lanes one repair looks at; the next one goes on."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What shares a lane has the same `name`; at most `width` under way, `per_second` started (None: unpaced)."""

    name: str
    width: int = 1
    per_second: float | None = None


class Asking(Protocol):
    """The part of the job engine that lanes lean on."""

    def enqueue(self, tx: Transaction, *jobs: Job) -> None:
        """Ask for jobs in a transaction."""
        ...


class Lanes:
    """Lets jobs through, in order.

    Every method takes the lane's row first, so that processes on one database agree on who is next.
    """

    def __init__(self, jobs: Asking, clock: Clock) -> None:
        """Stand before the job engine."""
        self._jobs = jobs
        self._clock = clock

    def enter(self, tx: Transaction, lane: Lane, job: Job) -> None:
        """Ask for a job now, or when its turn comes; one that is in a lane already keeps its place.

        The lane's width and pace are those of whoever entered last.
        """
        row = tickets.entered(tx, lane.name, lane.width, lane.per_second)
        ticket = {
            "lane": lane.name,
            "number": row.entered,
            "kind": job.kind,
            "ref": job.ref,
            "attempt": job.attempt,
            "due_at": job.due_at,
            "promoted": False,
        }
        if tickets.insert_ticket(tx, ticket):
            self._promote(tx, row)

    def leave(self, tx: Transaction, lane: Lane, job: Job) -> None:
        """Give up a job's place, whether it was under way or waited, and let the next one go.

        The lane is the one the job entered, also when `lane` has another name by now; a job that is in none may leave.
        """
        name = tickets.lane_of(tx, job.kind, job.ref) or lane.name
        row = tickets.locked(tx, name)
        tickets.delete_ticket(tx, job.kind, job.ref)
        if row is not None:
            self._promote(tx, row)

    def repair(self, tx: Transaction) -> None:
        """Let jobs go that wait although there is room (a lane was widened), and forget lanes nobody is in."""
        for name in tickets.with_free_room(tx, MAX_REPAIRED):
            row = tickets.locked(tx, name)
            if row is not None:
                self._promote(tx, row)
        now = self._clock()
        for name in tickets.idle(tx, now, MAX_REPAIRED):
            if tickets.locked(tx, name) is not None:
                tickets.remove_idle(tx, name, now)

    def _promote(self, tx: Transaction, lane: Any) -> None:
        room = lane.width - tickets.under_way(tx, lane.name)
        if room <= 0:
            return
        pace = Pace(lane, self._clock())
        for ticket in tickets.waiting(tx, lane.name, room):
            tickets.promote(tx, ticket)
            start = max(ticket.due_at, pace.next_start())
            self._jobs.enqueue(tx, Job(ticket.kind, ticket.ref, ticket.attempt, start))
        if pace.moment != lane.next_start_at:
            tickets.pace(tx, lane.name, pace.moment)


class Pace:
    """When a lane's next jobs may start; `moment` is the first start that nobody has yet, None without a pace."""

    def __init__(self, lane: Any, now: datetime) -> None:
        """Go on where the lane is; a clock that was set back holds nobody up for longer than a full lane does."""
        self._now = now
        self._step = timedelta(seconds=1 / lane.per_second) if lane.per_second is not None else None
        self.moment: datetime | None = None
        if self._step is not None and lane.next_start_at is not None:
            self.moment = min(lane.next_start_at, now + lane.width * self._step)

    def next_start(self) -> datetime:
        """Take the next start."""
        start = max(self._now, self.moment or self._now)
        if self._step is not None:
            self.moment = start + self._step
        return start
