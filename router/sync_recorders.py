"""Requests that are executed while their callers wait: stored and settled beside their effect."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from bpm.bus import Envelope, Outcome, Recorder
from bpm.clock import Clock
from bpm.edge.answer import Answer
from bpm.errors import Fenced
from bpm.jobs import Job, JobQueue
from bpm.store import Transaction
from router import attempts
from router.attempts import AttemptedRequest
from router.failure_log import log_failed_after
from router.request_seal import RequestSeal
from router.settlement import settled
from router.tables import deduplication, requests, settling
from router.tables.requests import RequestRow

Remembered = Callable[[Outcome], Answer | None]
"""Returns the answer to be given again to the same id; None when the caller was told no and may try again."""


class SyncRecorder(Recorder):
    """Stores and settles a request that is executed while its caller waits.

    `first` is the request that carried the same provider's id before, if there was one.
    """

    can_wait = False

    def __init__(self, row: dict[str, Any], clock: Clock, answer: Remembered, seal: RequestSeal) -> None:
        """Take the request's row, what is remembered as its answer, and what seals that."""
        self._seal = seal
        self._row = row
        self._clock = clock
        self._answer = answer
        self.first: RequestRow | None = None

    def find_first(self, tx: Transaction) -> RequestRow | None:
        """Return the first request with the provider's id; None when that was too long ago to count, or is dead."""
        key, received_at = self._row["dedupe_key"], self._row["received_at"]
        if key is None:
            return None
        first = deduplication.first_with_key(tx, key, received_at)
        if first is None or not deduplication.is_given_up(first):
            return first
        if deduplication.take_key(tx, first):
            return None  # this one is executed in its stead
        return deduplication.first_with_key(tx, key, received_at)

    def _settled(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> dict[str, Any]:
        """Note the attempt and return the row's columns after it; the answer where it may have to be given again.

        A failure, or a refusal by the script, is not remembered as the answer to its id: the caller knows it, and may
        try again; and what was refused may not have been the provider's.
        """
        first = self._answer(outcome) if self._row["dedupe_key"] is not None else None
        now = self._clock()
        columns = settled(outcome, envelope.name, 1, now)
        row = self._row
        attempted = AttemptedRequest(row["organization_id"], row["request_id"])
        attempts.note(tx, attempted, row["received_at"], now, columns)
        if outcome.error is not None:
            log_failed_after(tx, row["request_id"], row["config_key"] or row["provider"], outcome.error)
        return {
            **columns,
            "dedupe_key": self._row["dedupe_key"] if first is not None else None,
            **self._seal.answer_columns(first),
        }


class TransactionalSync(SyncRecorder):
    """Writes the request together with its effect, as one row with the group's others."""

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """Settle the request in this unit; a provider's id that is known fails the unit, and with it the effect."""
        tx.append(requests.INBOUND, {**self._row, **self._settled(tx, envelope, outcome)})


class EffectSync(SyncRecorder):
    """Puts the request on disk before the handler reaches outside, and settles it afterwards.

    A job, taken back with the settlement, takes up what a process leaves behind that ends in between. When a worker has
    done so although the process goes on, the unit is `Fenced`: what was to be concluded is undone.
    """

    _is_settled = False

    def __init__(
        self,
        row: dict[str, Any],
        clock: Clock,
        answer: Remembered,
        seal: RequestSeal,
        jobs: JobQueue,
        taken_up: Job,
    ) -> None:
        """Take also the job engine and the job."""
        super().__init__(row, clock, answer, seal)
        self._jobs = jobs
        self._taken_up = taken_up

    def before(self, tx: Transaction, envelope: Envelope) -> Outcome | None:
        """Insert the request, or find the first one with the same id."""
        if self._row["dedupe_key"] is None:
            requests.insert(tx, self._row)
        else:
            self.first = deduplication.insert_unless_known(tx, self._row)
        if self.first is not None:
            self.first = self.find_first(tx) or deduplication.insert_unless_known(tx, self._row)
        if self.first is not None:
            return Outcome(replayed=True)
        self._jobs.enqueue(tx, self._taken_up)
        return None

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """Settle the request in this unit."""
        if not settling.finish(tx, self._row["request_id"], self._settled(tx, envelope, outcome)):
            raise Fenced
        self._take_back(tx)

    def outlast(self, tx: Transaction, until: datetime) -> None:
        """Put the job off, for the work may go on until then; unless it is over.

        The caller was told that it is accepted, so what says nothing about it is left to the job from now on.
        """
        self.is_tried_again = True
        if self.first is None and not self._is_settled:
            self._jobs.cancel(tx, self._taken_up)
            self._taken_up = replace(self._taken_up, due_at=until)
            self._jobs.enqueue(tx, self._taken_up)

    def _take_back(self, tx: Transaction) -> None:
        self._is_settled = True  # in the writer's thread, as everything in `outlast`
        self._jobs.cancel(tx, self._taken_up)


class DeferredSync(EffectSync):
    """Puts a request without a provider's id on disk no sooner than its handler sends a command, or its caller waits.

    Until then nothing was promised to anybody; a script that only computes is written once, with its outcome.
    """

    can_wait = True
    _is_begun = False

    def before(self, tx: Transaction, envelope: Envelope) -> Outcome | None:
        """Insert the request, unless it is settled already."""
        self._is_begun = True  # in the writer's thread, as everything in `after`
        if requests.insert_unless_there(tx, self._row):
            self._jobs.enqueue(tx, self._taken_up)
        return None

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """Write the request with its outcome, or the outcome where it is on disk."""
        columns = self._settled(tx, envelope, outcome)
        request_id = self._row["request_id"]
        if self._is_begun and settling.finish(tx, request_id, columns):
            self._take_back(tx)
        elif self._is_begun and requests.find_request(tx, None, request_id) is not None:
            raise Fenced
        else:
            self._is_settled = True
            tx.append(requests.INBOUND, {**self._row, **columns})
