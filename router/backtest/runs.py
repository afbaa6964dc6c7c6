"""Runs back-tests beside everything else: short reads, the comparing in a thread that pauses, progress noted."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from bpm.bus import Message, Registry
from bpm.clock import Clock
from bpm.errors import PUTS_OFF, Poisoned, Refused
from bpm.fair_slots import NoFreeSlot
from bpm.jobs import Job
from bpm.security.permissions import Permission, Principal
from bpm.security.stored_principal import principal_columns
from bpm.store import Database, Transaction
from bpm.threads import in_thread
from router.backtest import tables
from router.backtest.difference import Difference
from router.backtest.examiner import Examiner, with_result
from router.backtest.plan import Plan, chosen
from router.backtest.tables import KIND, AskedBackTest, ExaminedRequest
from router.backtest.tally import Tally
from router.request_seal import RequestSeal
from router.rule import Rule, hide_alike
from router.tables.configs import RuleRow

BATCH = 250
"""How many requests one read loads."""
NOTE_SECONDS = 1.0
"""How often progress is written down."""
PERMISSIONS: tuple[Permission, ...] = ("webhooks:write", "inbound:read")
"""What is asked for anew while one runs in the background."""
SLICE_SECONDS = 0.002
PAUSE_SECONDS = 0.0005
"""The comparing thread holds the interpreter's lock for a slice, then lets the event loop have it."""

log = structlog.get_logger("router")

RequireNow = Callable[[Principal, Permission, str], Awaitable[None]]
"""Raises `Forbidden` when somebody lacks a permission at this moment."""
Progress = Callable[[Tally, int], Awaitable[None]]
"""Told of the tally so far and how many requests there are in all."""
Ask = Callable[[], Awaitable[None]]
"""Raises `Forbidden` when whoever asked may do it no more."""
Rehearse = Callable[[Message[Any]], Awaitable[str | None]]
"""Runs a message as if, and returns why it failed."""


class BackTests:
    """Compares captured requests with a plan's rule; as a job kind, those that were asked for in the background."""

    name = KIND

    def __init__(
        self,
        database: Database,
        registry: Registry,
        compile_rule: Callable[[RuleRow], Rule],
        clock: Clock,
        seal: RequestSeal,
        rules_beside: Callable[[Rule], Sequence[Rule]],
        require_now: RequireNow,
    ) -> None:
        """Take where requests are, how a configuration's row becomes a rule, and what opens signatures.

        `rules_beside` gives the other rules at the address of one; `require_now` is `Bus.require_now`.
        """
        self._require_now = require_now
        self._rules_beside = rules_beside
        self._seal = seal
        self._database = database
        self._registry = registry
        self._compile = compile_rule
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    def pending(self, tx: Transaction, limit: int) -> Sequence[Job]:
        """See `JobKind.pending`."""
        return [Job(KIND, row.id, 0, row.created_at, row.organization_id) for row in tables.open_back_tests(tx, limit)]

    async def run(self, job: Job) -> None:
        """See `JobKind.run`; a run that was cut off is begun again, as nothing depends on it.

        Raises `NoFreeSlot` while another one runs: what waits holds no place of the worker's.
        """
        if self._one_at_a_time.locked():
            raise NoFreeSlot
        async with self._one_at_a_time:
            found = await self._database.read(lambda tx: tables.asked_back_test(tx, job.ref))
            if found is None:
                return
            await self._note(job.ref, {"state": tables.RUNNING, "started_at": self._clock()})
            try:
                tally = await self.compare(Plan.restored(found.plan), self._noting(job.ref), partial(self._ask, found))
            except PUTS_OFF:
                raise
            except Refused as error:
                ended: dict[str, Any] = {"state": tables.FAILED, "error": "; ".join(error.errors)}
            except Exception as error:
                if self._database.is_outage(error):
                    raise
                log.exception("back-test failed", back_test_id=job.ref)
                ended = {"state": tables.FAILED, "error": "the comparison failed; the log says why"}
            else:
                changed = [to_row(difference) for difference in tally.changed]
                ended = {"state": tables.DONE, **tally.values(), "changed": changed}
            await self._note(job.ref, {**ended, "completed_at": self._clock()})

    async def give_up(self, job: Job, error: Poisoned) -> None:
        """See `JobKind.give_up`."""
        ended = {"state": tables.FAILED, "error": "; ".join(error.errors), "completed_at": self._clock()}
        await self._note(job.ref, ended)

    async def compare(self, plan: Plan, progress: Progress | None = None, ask: Ask | None = None) -> Tally:
        """Examine the plan's requests, and say how far it is about once a second; `ask` before each part of them."""
        examiner = self.examiner(plan)
        request_ids = await chosen(plan, self._database)
        tally, noted = Tally(), time.monotonic()
        if progress is not None:
            await progress(tally, len(request_ids))
        for start in range(0, len(request_ids), BATCH):
            batch = request_ids[start : start + BATCH]
            if ask is not None:
                await ask()
            rows = await self._database.read(lambda tx, batch=batch: tables.whole_requests(tx, batch))
            await in_thread(plan.organization_id, partial(_examine, examiner, rows, tally))
            if progress is not None and time.monotonic() - noted > NOTE_SECONDS:
                noted = time.monotonic()
                await progress(tally, len(request_ids))
        return tally

    async def rehearse(self, plan: Plan, run: Rehearse) -> Tally:
        """Examine the plan's requests and run the messages they become as if; `run` returns what went wrong."""
        examiner = self.examiner(plan)
        request_ids = await chosen(plan, self._database)
        tally = Tally()
        for row in await self._database.read(lambda tx: tables.whole_requests(tx, request_ids)):
            difference = examiner.examine(row)
            message = examiner.message(row) if difference.now.message_type is not None else None
            tally.add(difference if message is None else with_result(difference, row, await run(message)))
        return tally

    def examiner(self, plan: Plan) -> Examiner:
        """Return what examines requests by the plan's rule."""
        former = plan.former_row
        before = self._compile(former) if former is not None else None
        rule = self._compile(plan.row)
        rule, *others = hide_alike([rule, *self._rules_beside(rule)])
        return Examiner(rule, before, self._registry, self._seal, others)

    async def _ask(self, found: AskedBackTest) -> None:
        """Raise `Forbidden` when whoever asked for a back-test may see what it compares no more."""
        for permission in PERMISSIONS:
            await self._require_now(found.author, permission, "Going on with the back-test")

    def _noting(self, back_test_id: str) -> Progress:
        async def progress(tally: Tally, total: int) -> None:
            await self._note(back_test_id, {"total": total, **tally.values()})

        return progress

    async def _note(self, back_test_id: str, values: dict[str, Any]) -> None:
        await self._database.write(lambda tx: tables.note(tx, back_test_id, values))


def new_back_test(plan: Plan, author: Principal, back_test_id: str, now: datetime) -> dict[str, Any]:
    """Return the row of a back-test that is still to begin."""
    return {
        "organization_id": plan.organization_id,
        "id": back_test_id,
        "state": tables.WAITING,
        "plan": plan.stored(),
        "counts": {},
        "unchecked": {},
        "changed": [],
        **principal_columns(author, "author"),
        "created_at": now,
    }


def to_row(difference: Difference) -> dict[str, Any]:
    """Return a difference as JSON."""
    return asdict(difference)


def _examine(examiner: Examiner, rows: Sequence[ExaminedRequest], tally: Tally) -> None:
    """Examine a batch in slices, so that the event loop never waits long for the interpreter."""
    until = time.monotonic() + SLICE_SECONDS
    for row in rows:
        tally.add(examiner.examine(row))
        if time.monotonic() > until:
            time.sleep(PAUSE_SECONDS)
            until = time.monotonic() + SLICE_SECONDS
