"""Requests that are executed in the transaction that stores them.

A request that is accepted and then executed is written twice and its job is written, picked and deleted. When its
message is transactional and is known to be cheap, request and effect can be one commit: the promise is the same, for
nothing is answered before it. Whatever stands in the way, the request is accepted as every other.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy.exc import IntegrityError

from bpm.bus import Bus, Envelope, Outcome, Recorder
from bpm.clock import Clock
from bpm.jobs import JobQueue
from bpm.store import Transaction
from bpm.threads import beside_loop
from router.decision import Decision
from router.execution import Execution
from router.recent_requests import stored
from router.request import InboundCall
from router.request_messages import RequestMessages
from router.rule import Rule
from router.settlement import RequestSettlement, settled
from router.tables import requests

MAX_WAITING = 128
"""Units that wait for the writer; when there are more, requests are only taken in, which costs least."""


class ImmediateRecorder(Recorder):
    """Stores a request beside its effect; one that failed with its first attempt, which is settled as every other."""

    def __init__(self, row: Mapping[str, Any], settlement: RequestSettlement, clock: Clock) -> None:
        """Take the request's row as it is before it is executed, and what settles it when that fails."""
        self._row = row
        self._settlement = settlement
        self._clock = clock

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """Write the request with what became of it."""
        if outcome.error is None:
            tx.append(requests.INBOUND, {**self._row, **settled(outcome, envelope.name, 1, self._clock())})
        else:
            tx.append(requests.INBOUND, self._row)
            self._settlement.settle(tx, envelope.name, outcome)


class ImmediateExecution:
    """Executes what can be executed at the moment it is stored."""

    def __init__(self, bus: Bus, messages: RequestMessages, execution: Execution, jobs: JobQueue) -> None:
        """Take the bus, what knows on whose behalf rules act, and the job engine that does what is left."""
        self._bus = bus
        self._messages = messages
        self._execution = execution
        self._jobs = jobs

    async def execute(self, call: InboundCall, decision: Decision, row: Mapping[str, Any]) -> bool:
        """Execute a request and store `row` with it; False when nothing was stored and it has to be accepted.

        Raises `Unavailable` when nothing can be stored at the moment.
        """
        rule = decision.rule
        if rule is None or not self._may_execute(rule, decision):
            return False
        try:
            message = await beside_loop(call.weight, partial(rule.message, call), rule.organization_id)
            principal = await self._messages.principal_of(rule)
        except Exception:  # the worker meets it again, and settles the request with it
            return False
        recorder = ImmediateRecorder(row, self._execution.settlement(stored(row), rule), self._bus.now)
        depth = self._messages.depth_of(call, principal.organization_id)
        envelope = Envelope(message, principal, call.id, call.id, address=call.address, depth=depth, recorder=recorder)
        try:
            await self._bus.execute(envelope)
        except IntegrityError:  # the provider's id is known; `Inbox.accept` finds by which request
            return False
        return True

    def _may_execute(self, rule: Rule, decision: Decision) -> bool:
        """Tell whether this process executes the rule's requests, in no order, and the writer has time for it."""
        has_time = self._bus.database.waiting < MAX_WAITING
        is_free = decision.lane is None and not rule.paused and not rule.sync
        return is_free and has_time and self._jobs.alive and self._bus.costs.is_cheap(rule.sends)
