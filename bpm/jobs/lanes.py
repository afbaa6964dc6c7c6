"""Lanes: at most so many jobs of one name under way, started in the order in which they came.

A job that finds its lane full waits on a ticket without a token. Whoever leaves promotes the next in the same
transaction, so nothing is lost with a process. A job stays in its lane between two attempts: in a lane one job
wide the next one starts when the one in front is done or dead, and not before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bpm.clock import Clock
from bpm.jobs import lane_tables
from bpm.jobs.interface import Job
from bpm.store import Transaction

MAX_REPAIRED = 200
"""How many lanes one repair looks at; the next one goes on."""

FURTHEST_START = timedelta(days=1)
"""How far ahead lanes that share a pace may have their next start; more was written by a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What shares a lane has the same `name`; at most `width` under way, `per_second` started (None: unpaced).

    Lanes with the same `pace`, a lane that they name, start so many a second together.
    """

    name: str
    width: int = 1
    per_second: float | None = None
    pace: "Lane | None" = None


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
        row = lane_tables.add_entry(tx, lane.name, lane.width, lane.per_second)
        front = lane_tables.front(tx, row)
        has_room = len(front) < row.width
        if lane_tables.insert_ticket(tx, row, job, promoted=has_room):
            self._start(tx, row, [*_promoted(tx, front), *([job] if has_room else ())], lane.pace)

    def leave(self, tx: Transaction, lane: Lane, job: Job) -> None:
        """Give up a job's place, whether it was under way or waited, and let the next one go.

        The lane is the one the job entered, also when `lane` has another name by now; a job that is in none may leave.
        """
        name = lane_tables.remove_ticket(tx, job.kind, job.ref) or lane.name
        self._promote(tx, name, lane.pace if name == lane.name else None)

    def repair(self, tx: Transaction) -> None:
        """Let jobs go that wait although there is room (a lane was widened), and forget lanes nobody is in."""
        for name in lane_tables.with_free_room(tx, MAX_REPAIRED):
            self._promote(tx, name, None)
        now = self._clock()
        for name in lane_tables.idle(tx, now, MAX_REPAIRED):
            if lane_tables.lock(tx, name) is not None:
                lane_tables.remove_idle(tx, name, now)

    def _promote(self, tx: Transaction, name: str, pace: Lane | None) -> None:
        row = lane_tables.lock(tx, name)
        if row is not None:
            self._start(tx, row, _promoted(tx, lane_tables.front(tx, row)), pace)

    def _start(self, tx: Transaction, row: lane_tables.LaneRow, jobs: Sequence[Job], shared: Lane | None) -> None:
        """Ask for jobs whose turn it is, one behind the other if the lane is paced, by itself or with others."""
        if not jobs:
            return
        now = self._clock()
        if shared is not None and row.per_second is not None:
            row = lane_tables.add_entry(tx, shared.name, shared.width, shared.per_second)
        pace = LanePace(row, now, FURTHEST_START if shared is not None else None)
        self._jobs.enqueue(tx, *[replace(job, due_at=max(job.due_at, pace.next_start())) for job in jobs])
        if pace.moment != row.next_start_at:
            lane_tables.pace(tx, row.name, pace.moment)


def _promoted(tx: Transaction, front: Sequence[lane_tables.TicketRow]) -> list[Job]:
    """Promote those in front that wait, and return their jobs."""
    waiting = [ticket for ticket in front if not ticket.promoted]
    for ticket in waiting:
        lane_tables.promote(tx, ticket)
    return [Job(each.kind, each.ref, each.attempt, each.due_at, each.organization_id) for each in waiting]


class LanePace:
    """When a lane's next jobs may start; `moment` is the first start that nobody has yet, None without a pace."""

    def __init__(self, lane: lane_tables.LaneRow, now: datetime, furthest: timedelta | None = None) -> None:
        """Go on where the lane is; a clock that was set back holds nobody up for longer than `furthest`.

        Without it that is as long as a full lane takes.
        """
        self._now = now
        self._step = timedelta(seconds=1 / lane.per_second) if lane.per_second is not None else None
        self.moment: datetime | None = None
        if self._step is not None and lane.next_start_at is not None:
            self.moment = min(lane.next_start_at, now + (furthest or lane.width * self._step))

    def next_start(self) -> datetime:
        """Take the next start."""
        start = max(self._now, self.moment or self._now)
        if self._step is not None:
            self.moment = start + self._step
        return start
