"""From a stored request to its effect, by a worker."""

import contextlib
from collections.abc import Sequence
from functools import partial

import structlog

from bpm.bus import Bus, Envelope, Outcome
from bpm.clock import Clock
from bpm.errors import Fenced, Poisoned
from bpm.jobs import Job, JobQueue, Lanes, RetryPolicy
from bpm.store import Database, Transaction
from bpm.threads import beside_loop
from router.config import RetryConfig
from router.inbox import Inbox, pending
from router.request import InboundCall
from router.request_messages import RequestMessages
from router.request_seal import RequestSeal
from router.route_table import RouteTable
from router.rule import Rule
from router.settlement import RequestSettlement, Settling
from router.sync_execution import SyncExecution
from router.tables import requests, settling, waiting
from router.tables.requests import RequestRow

log = structlog.get_logger("router")


WOKEN = 1_000
"""How many requests are asked for at once when a rule goes on."""

RETRY = RetryConfig().policy()
"""How often the requests of providers are tried."""

ONCE = RetryConfig(attempts=1).policy()
"""How often the requests of a deleted configuration are tried: there is nothing to wait for."""


class Execution:
    """Executes the requests of rules and providers that were accepted for later: a kind of job."""

    name = requests.KIND

    def __init__(
        self,
        bus: Bus,
        table: RouteTable,
        messages: RequestMessages,
        sync: SyncExecution,
        inbox: Inbox,
        jobs: JobQueue,
        lanes: Lanes,
        clock: Clock,
        seal: RequestSeal,
    ) -> None:
        """Take the bus and where requests and their rules are found."""
        self._bus = bus
        self._database: Database = bus.database
        self._table = table
        self._messages = messages
        self._sync = sync
        self.inbox = inbox
        self._jobs = jobs
        self._seal = seal
        self._settling = Settling(bus, jobs, lanes, clock)

    def pending(self, tx: Transaction, limit: int) -> Sequence[Job]:
        """See `JobKind.pending`."""
        return pending(tx, limit)

    async def run(self, job: Job) -> None:
        """See `JobKind.run`."""
        await self._sync.until_over(job.ref)
        row = await self._open_row(job)
        if row is None:
            return
        call = await beside_loop(len(row.body), partial(self._seal.whole, row), row.organization_id)
        rule = await self._rule_of(row)
        seems_held = self._table.rests(row.organization_id) or (rule is not None and rule.paused)
        if seems_held and await self._database.write(lambda tx: self._let_rest(tx, row, job)):
            return  # it is woken when its rule, or its organisation, goes on
        settlement = self.settlement(row, rule)
        with contextlib.suppress(Fenced):  # somebody else has done this attempt
            await self._execute(row, call, rule, settlement)

    def settlement(self, row: RequestRow, rule: Rule | None) -> RequestSettlement:
        """Return what settles the next attempt of a request, which begins now."""
        return RequestSettlement(row, _policy(row, rule), self._settling)

    async def give_up(self, job: Job, error: Poisoned) -> None:
        """See `JobKind.give_up`."""
        row = await self._open_row(job)
        if row is not None:
            settlement = RequestSettlement(row, ONCE, self._settling)
            with contextlib.suppress(Fenced):
                await self._database.write(lambda tx: self._poisoned(tx, settlement, job.ref, error))

    def _poisoned(self, tx: Transaction, settlement: RequestSettlement, request_id: str, error: Poisoned) -> None:
        settlement.settle(tx, None, Outcome(error=error))
        settling.note_cause(tx, request_id, requests.POISONED)

    async def _open_row(self, job: Job) -> RequestRow | None:
        """Return the request if it still waits for this attempt."""
        row = self.inbox.recent.take(job)
        if row is None:
            row = await self._database.read(lambda tx: requests.find_request(tx, None, job.ref))
        return row if row is not None and row.attempt == job.attempt and row.state in requests.OPEN_STATES else None

    async def _execute(
        self, row: RequestRow, call: InboundCall, rule: Rule | None, settlement: RequestSettlement
    ) -> None:
        try:
            message, principal = await self._messages.of_stored(row, call, rule)
        except Exception as error:
            failure = self._messages.as_failure(error, call)
            await self._database.write(lambda tx: settlement.settle(tx, None, Outcome(error=failure)))
            return
        request_id = f"{call.id}:{row.run}" if row.run else call.id  # executed once more, although it had succeeded
        envelope = Envelope(
            message,
            principal,
            request_id,
            call.id,
            address=call.address,
            depth=self._messages.depth_of(call, principal.organization_id),
            recorder=settlement,
        )
        with self._bus.place_for(message, row.organization_id, ("rule", row.config_id or row.provider)):
            await self._bus.execute(envelope)

    async def _rule_of(self, row: RequestRow) -> Rule | None:
        """Return the request's rule as it is now, which this process may not have seen yet."""
        if row.config_id is None:
            return None
        rule = self._table.by_id(row.config_id)
        if rule is None or rule.revision < (row.revision or 0):
            await self._table.refresh()
            rule = self._table.by_id(row.config_id)
        return rule

    def _let_rest(self, tx: Transaction, row: RequestRow, job: Job) -> bool:
        """Give up the job of a request that may not go on, and tell whether that is so.

        That it goes on this process may not have seen yet; whoever lets it go on from now on finds it without a job.
        """
        is_held = waiting.is_held(tx, row.config_id, row.organization_id)
        if is_held:
            self._jobs.release(tx, job)
        return is_held

    async def wake(self) -> None:
        """Ask for the oldest requests that wait without a job, as those of a rule or an organisation that goes on.

        The reconciler asks for the others within a minute.
        """
        jobs = await self._database.read(lambda tx: pending(tx, WOKEN))
        await self._database.write(lambda tx: self._jobs.enqueue(tx, *jobs))


def _policy(row: RequestRow, rule: Rule | None) -> RetryPolicy:
    if rule is not None:
        return rule.retry
    return RETRY if row.provider is not None else ONCE
