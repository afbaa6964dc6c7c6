"""Receivers that fail are left alone, and those that are back get at once what waited for them."""

import random
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import structlog

from bpm.events import breaker, health_tables
from bpm.events.delivery_tables import KIND
from bpm.jobs import Job, JobQueue
from bpm.store import Transaction

log = structlog.get_logger("bpm.events")

NOTED_EVERY = timedelta(seconds=1)
SPREAD = timedelta(seconds=1)
"""Within how much time the deliveries that waited for a breaker are looked at, lest they come all at once."""

FURTHEST = timedelta(days=30)
"""Further ahead than any delivery's next attempt."""

MAX_FORWARDED = 1_000
"""How many deliveries are brought forward at once; the others keep their due times."""


class HealthSnapshot(Protocol):
    """What was known of a receiver when its delivery was taken up."""

    @property
    def failure_count(self) -> int:
        """The failures since the last success."""
        ...

    @property
    def last_success_at(self) -> datetime | None:
        """When it last took a delivery."""
        ...

    @property
    def open_until(self) -> datetime | None:
        """Until when nothing was to be sent."""
        ...


class FailureState(NamedTuple):
    """How a receiver is doing after a failure."""

    since: datetime | None
    """Since when there was nothing else."""
    is_to_be_told: bool
    """Whether it has just become worth telling somebody."""


class Health:
    """Keeps the health of receivers, each by its subscription."""

    def __init__(self, jobs: JobQueue) -> None:
        """Take where jobs are asked for."""
        self._jobs = jobs
        self._noted: dict[int, datetime] = {}

    def succeeded(self, tx: Transaction, id_: int, known: HealthSnapshot, now: datetime) -> None:
        """Note a success; a receiver that is well is written down once a second, one that is back at once."""
        noted = self._noted.get(id_, known.last_success_at)
        if known.failure_count or known.open_until or noted is None or now - noted >= NOTED_EVERY:
            self._release(tx, id_, now)
            health_tables.note_success(tx, id_, now)
            self._noted[id_] = now

    def failed(
        self, tx: Transaction, id_: int, now: datetime, *, made: bool, is_probe: bool, asked: datetime | None = None
    ) -> FailureState:
        """Count a failure, and return how the receiver is doing.

        What came to no request says nothing about the receiver: it opens no breaker, and ends a probe. Until `asked`
        the receiver wants to be left alone.
        """
        row = health_tables.note_failure(tx, id_, now)
        known = row.failure_count, row.openings, row.open_until
        opens = breaker.opening(*known, is_probe=is_probe, now=now, asked=asked)
        if not made and is_probe:
            health_tables.open_breaker(tx, id_, row.openings, now)
        elif made and opens is not None:
            health_tables.open_breaker(tx, id_, opens.count, opens.until)
            if opens.count > row.openings:
                tx.after_commit(
                    lambda: log.warning(
                        "a receiver is left alone",
                        subscription=id_,
                        failures=row.failure_count,
                        until=opens.until.isoformat(),
                    )
                )
        reached = made and opens is not None and row.openings < breaker.TOLD_AT <= opens.count
        return FailureState(row.failing_since, reached)

    def forgive(self, tx: Transaction, id_: int, now: datetime) -> None:
        """Let deliveries go again, however many have failed."""
        self._release(tx, id_, now)
        health_tables.forgive(tx, id_)

    def look_again(self, tx: Transaction, id_: int, now: datetime) -> datetime:
        """Return when a delivery is looked at again that found its receiver's breaker open; now if it has closed since.

        The receiver's row is locked: a success either brings the delivery forward, or is seen here.
        """
        until = health_tables.open_until(tx, id_)
        return until + random.uniform(0, 1) * SPREAD if until is not None and until > now else now  # noqa: S311 spread

    def look_at_all(self, tx: Transaction, id_: int, now: datetime) -> None:
        """Look now at deliveries that wait for another attempt: their subscription was switched off, or deleted."""
        self._bring_forward(tx, id_, now, now + FURTHEST, now)

    def _release(self, tx: Transaction, id_: int, now: datetime) -> None:
        """Let what waits for the breaker go now."""
        until = health_tables.open_until(tx, id_)
        if until is not None and until > now:
            self._bring_forward(tx, id_, until, until + SPREAD, now)

    def _bring_forward(self, tx: Transaction, id_: int, first: datetime, last: datetime, now: datetime) -> None:
        rows = health_tables.bring_forward(tx, id_, first, last, MAX_FORWARDED, now)
        if rows:
            self._jobs.enqueue(tx, *[Job(KIND, row.id, row.turn, now, row.organization_id) for row in rows])
