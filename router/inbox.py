"""Stores requests before they are answered, and enqueues their execution."""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.exc import IntegrityError

from bpm.edge.answer import Answer
from bpm.errors import Unavailable
from bpm.jobs import Job, JobQueue, Lane, Lanes
from bpm.security.redaction import redacted_text
from bpm.store import Database, Transaction
from bpm.threads import beside_loop
from router import attempts
from router.decision.verdict import QUARANTINED_CAUSES, Verdict
from router.failure_log import log_refused
from router.pausing import PausedRules
from router.quota import Quota
from router.recent_requests import RecentRequests
from router.request import InboundCall
from router.request_seal import RequestSeal
from router.source import Source
from router.tables import deduplication, requests, settling, waiting
from router.tables.requests import RequestRow

REDELIVERY = "redelivery"
"""Who drove a request again that its provider sent once more after it was dead."""


class Inbox:
    """Stores requests and asks for their execution."""

    def __init__(self, database: Database, jobs: JobQueue, lanes: Lanes, quota: Quota, seal: RequestSeal) -> None:
        """Stand between the table and the job engine.

        `quota` bounds what is kept of refused requests, `seal` keeps what nobody may see.
        """
        self.recent = RecentRequests()
        self._seal = seal
        self._database = database
        self._jobs = jobs
        self._lanes = lanes
        self._quota = quota
        self._paused = PausedRules(database)

    async def accept(
        self,
        call: InboundCall,
        row: dict[str, Any],
        lane: Lane | None = None,
        *,
        paused: bool = False,
    ) -> RequestRow | None:
        """Store a request's pending row, to be executed soon; return the first one's row when this is a repetition.

        When it returns None the request and its job, or its place in a lane, are on disk. One of a rule that is
        `paused` has no job yet; raises `Unavailable` when the rule holds all it may.
        """
        if paused:
            await self._paused.require_room(row["config_id"] or 0, len(call.body))
        job = Job(requests.KIND, call.id, 0, call.received_at, row["organization_id"])
        if lane is not None:
            row["lane"] = lane.name
            return await self._database.write(lambda tx: self._insert(tx, row, job, lane), len(call.body))
        if paused:
            return await self._database.write(lambda tx: self._insert_held(tx, row, job), len(call.body))
        if self._jobs.alive:
            self.recent.keep(row)
        try:
            await self._database.append(
                (requests.INBOUND, row), *self._jobs.tokens(job), size=len(call.body), then=self._jobs.wake
            )
        except IntegrityError:
            self.recent.drop(call.id)
            return await self._database.write(lambda tx: self._insert(tx, row, job, None), len(call.body))
        return None

    def _insert_held(self, tx: Transaction, row: dict[str, Any], job: Job) -> RequestRow | None:
        """Insert a request of a paused rule: without a job, unless the rule has gone on meanwhile."""
        is_held = waiting.is_held(tx, row["config_id"], row["organization_id"])
        return self._insert(tx, row, None if is_held else job, None)

    def _insert(self, tx: Transaction, row: dict[str, Any], job: Job | None, lane: Lane | None) -> RequestRow | None:
        known = None
        if row["dedupe_key"] is None:
            requests.insert(tx, row)
        else:
            known = self._insert_unless_known(tx, row)
        if known is None:
            self._begin(tx, job, lane)
        elif deduplication.is_given_up(known) and known.body == row["body"]:
            self._take_up(tx, known, row["received_at"], lane)
        return known

    def _insert_unless_known(self, tx: Transaction, row: Mapping[str, Any]) -> RequestRow | None:
        """Insert a request, also in the stead of a dead one with its id that was another: perhaps not the provider's.

        Returns the first one with the id when that is known.
        """
        known = deduplication.insert_unless_known(tx, row)
        if known is None or not deduplication.is_given_up(known) or known.body == row["body"]:
            return known
        return deduplication.insert_unless_known(tx, row) if deduplication.take_key(tx, known) else known

    def _begin(self, tx: Transaction, job: Job | None, lane: Lane | None) -> None:
        if job is not None and lane is not None:
            self._lanes.enter(tx, lane, job)
        elif job is not None:
            self._jobs.enqueue(tx, job)

    def _take_up(self, tx: Transaction, first: RequestRow, now: datetime, lane: Lane | None) -> None:
        """Execute a dead request once more, because the same one comes again; its policy begins anew."""
        if settling.reopen(tx, first, REDELIVERY, now, lane.name if lane is not None else None):
            attempts.note_last(tx, first)
            self._begin(tx, Job(requests.KIND, first.request_id, first.attempt, now, first.organization_id), lane)

    async def refuse(self, call: InboundCall, source: Source, verdict: Verdict, *, is_awaited: bool = False) -> None:
        """Keep a refused request with its cause, while there is room for it; see `Quota.allows`."""
        if not self._has_room(call, source, verdict.cause or "", call.size, is_awaited=is_awaited):
            return
        state = requests.QUARANTINED if verdict.cause in QUARANTINED_CAUSES else requests.REJECTED
        row = await self.row_of(call, source, state, cause=verdict.cause, errors=[redacted_text(verdict.detail)])
        with contextlib.suppress(Unavailable):  # the refusal itself must still be said
            await self._database.append((requests.INBOUND, row), size=len(call.body))
        log_refused(call.id, source.config_key or source.provider, verdict.cause, call.address)

    async def repeat(self, call: InboundCall, source: Source, first: RequestRow) -> None:
        """Keep a note of a repeated request, while there is room for it."""
        if not self._has_room(call, source, "duplicate", call.size - len(call.body)):
            return
        row = await self.row_of(call, source, requests.DUPLICATE, cause="duplicate", duplicate_of=first.request_id)
        with contextlib.suppress(Unavailable):  # the first answer is known, and that is what counts
            await self._database.append((requests.INBOUND, {**row, "body": b"", "sealed": None}))

    def _has_room(self, call: InboundCall, source: Source, cause: str, size: int, *, is_awaited: bool = False) -> bool:
        today = call.received_at.date()
        return self._quota.allows(source.organization_id, cause, call.address, size, today, is_awaited=is_awaited)

    async def row_of(
        self, call: InboundCall, source: Source, state: str, *, answer: Answer | None = None, **more: Any
    ) -> dict[str, Any]:
        """Return the row of a request that comes in, what is confidential of it sealed."""
        return {
            "organization_id": source.organization_id,
            "request_id": call.id,
            "config_id": source.config_id,
            "config_key": source.config_key,
            "revision": source.revision,
            "provider": source.provider,
            "method": call.method,
            **await beside_loop(
                call.weight, partial(self._seal.columns, call, source.confidential), source.organization_id
            ),
            "address": call.address,
            "received_at": call.received_at,
            "state": state,
            "cause": more.get("cause"),
            "errors": more.get("errors"),
            "dedupe_key": more.get("dedupe_key"),
            "duplicate_of": more.get("duplicate_of"),
            "attempt": more.get("attempt", 0),
            **self._seal.answer_columns(answer),
        }


def pending(tx: Transaction, limit: int) -> Sequence[Job]:
    """Return tokens for every request that waits for a worker."""
    rows = waiting.open_requests(tx, limit)
    return [
        Job(requests.KIND, row.request_id, row.attempt, row.next_attempt_at or row.received_at, row.organization_id)
        for row in rows
    ]
