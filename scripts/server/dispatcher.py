"""Gives a job to a child and brings back how it ended; starts again when the zygote died under it."""

import os
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple

from scripts.server.exit_diagnosis import diagnose_exit
from scripts.server.job_session import ComputeSlot, JobSession
from scripts.server.messages import COMPILING
from scripts.server.pool import Pool
from scripts.server.remote_child import Child, Exit
from scripts.server.slots import SlotQueue
from scripts.shared.frames import NOT_FORKED
from scripts.shared.limits import Limits
from scripts.shared.outcome import NOBODY, UNTOLD, Failure, SandboxUnavailable, Senders, Waiting

ATTEMPTS = 3
"""Starts of a job whose zygote dies before the job has sent anything."""


@dataclass(frozen=True, slots=True)
class Task:
    """A job for a child: its frame, its limits, and the key of its rule if a child may be reused."""

    source: str
    job: bytes
    limits: Limits
    kinds: frozenset[str]
    """The kinds of messages its child may send."""
    senders: Senders = NOBODY
    key: Hashable | None = None
    owner: str = ""
    rule: str = ""
    """For whom it is done; owners take turns, and rules of one owner."""
    waiting: Waiting = UNTOLD


class Ended(NamedTuple):
    """How a task ended: the child's last message, or the failure that stands in for it."""

    said: dict[str, Any] | None
    failure: Failure | None
    logs: list[str]
    sends: int
    cpu_seconds: float
    peak_bytes: int
    lost: bool


class Dispatcher:
    """Runs tasks on the children of a pool, so many at once that they fill the machine and no more."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._places = SlotQueue(max(8, 4 * (os.cpu_count() or 1)))

    async def perform(self, task: Task) -> Ended:
        """Run a task to its end; raises SandboxUnavailable and what its `send` raises."""
        ended = await self._attempt(task)
        for _ in range(ATTEMPTS - 1):
            if not ended.lost or ended.sends:
                break
            ended = await self._attempt(task)
        return ended

    async def _attempt(self, task: Task) -> Ended:
        turn = ComputeSlot(self._places, task.owner, task.rule, task.limits.wait_seconds, task.waiting)
        child: Child | None = None
        try:
            await turn.take()
            child = await self._pool.take(task.limits, task.key, compiles=task.kinds is COMPILING)
            talk = JobSession(child, task.limits, task.senders, turn, task.kinds)
            said = await talk.hold(task.job)
            if said is not None and said["t"] in ("result", "compiled"):
                self._release(child, task, clean=said.get("clean", False))
                peak = said.get("peak", 0) * 1024
                return Ended(said, None, talk.logs, talk.sends, talk.cpu_seconds, peak, lost=False)
            gone = _there(await child.end())
        except BaseException:
            if child is not None:
                child.leave()
                child.kill()
            raise
        finally:
            turn.give()
            self._pool.refill()
        timed = not child.reused
        failure = None if said else diagnose_exit(gone, child.stopped_for, task.limits, task.source, timed=timed)
        return Ended(said, failure, talk.logs, talk.sends, gone.cpu_seconds, gone.peak_bytes, gone.lost and not said)

    def _release(self, child: Child, task: Task, *, clean: bool) -> None:
        """Keep a child for its rule, unless something of the run is left in it, or it says more than its result."""
        if task.key is None or not clean or not child.is_silent():
            child.leave()
        else:
            self._pool.keep(child, task.key, task.limits)


def _there(gone: Exit) -> Exit:
    """Return how a child ended; raises SandboxUnavailable when there was no process for it."""
    if gone.status == NOT_FORKED and not gone.lost:
        raise SandboxUnavailable(f"No process can be started for the script just now: {gone.trace}.")
    return gone
