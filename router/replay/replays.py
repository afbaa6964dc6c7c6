"""Opens requests again and gives others up; the worker executes them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bpm.bus import Envelope
from bpm.errors import Conflict
from bpm.jobs import Job, JobQueue, Lane, Lanes
from bpm.security.causation_header import HEADER as CAUSE
from bpm.security.causation_header import CausationHeader
from bpm.store import Transaction
from bpm.tracing import Tracer
from router import attempts
from router.decision import Decision
from router.replay.judgement import Judge
from router.replay.replayed_as import ReplayedAs
from router.replay.tables import change, claim, discard
from router.request import StoredCall
from router.spans import record_replay
from router.tables import deduplication, requests
from router.tables.requests import RequestRow

DISCARDED = "discarded"
"""The cause of a request that somebody gave up; its state is `dead`."""

REFUSED = (requests.REJECTED, requests.QUARANTINED)
CHANGED = "the request has changed meanwhile; look at it again"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a wish to drive a request again; `verdict` and `detail` say why it is not."""

    replayed: bool
    state: str
    verdict: str
    detail: str | None = None


class Replays:
    """Drives captured requests again, never one twice at once."""

    def __init__(
        self, judge: Judge, jobs: JobQueue, lanes: Lanes, causation: CausationHeader, tracer: Tracer | None
    ) -> None:
        """Take who judges, what wakes the worker, and what says how deep a request stands that a chain drives again."""
        self._causation = causation
        self._tracer = tracer
        self._judge = judge
        self._jobs = jobs
        self._lanes = lanes

    def judge(self, row: RequestRow, now: datetime, *, force: bool) -> Decision:
        """Say how a request would be taken now; raises `Conflict` when it can't be driven again at all."""
        reason = _why_not(row, now, force=force)
        if reason is not None:
            raise Conflict(reason)
        return self._judge.decide(row) if row.state in REFUSED else self._judge.confirm(row)

    def reopen(
        self,
        tx: Transaction,
        row: RequestRow,
        decision: Decision,
        by: Envelope,
        now: datetime,
        replayed_as: ReplayedAs | None = None,
    ) -> Replayed:
        """Open a request again as it was judged, on the wish of the message `by`; it is executed by `replayed_as`.

        Raises `Conflict` when it has changed since `row` was read.
        """
        if not decision.verdict.passed:
            return self._refused_again(tx, row, decision)
        first = self._claimed_by_another(tx, row, decision, now)
        if first is not None:
            return self._repeats(tx, row, first)
        # between two attempts a request has its place in its lane already
        is_between = row.next_attempt_at is not None
        lane = Lane(row.lane) if is_between and row.lane is not None else decision.lane
        values = {
            **_reopened_columns(row, by.principal.name, now),
            **self._marked(row, by, self._stored_with(row, decision)),
            "lane": lane.name if lane is not None else None,
            "replayed_as": replayed_as.to_json() if replayed_as is not None else None,
        }
        _check(change(tx, row, values))
        attempts.note_last(tx, row)
        record_replay(self._tracer, tx, row, by)
        job = Job(requests.KIND, row.request_id, row.attempt, now, row.organization_id)
        if lane is None or is_between:
            self._jobs.cancel(tx, job)
            self._jobs.enqueue(tx, job)
        else:
            self._lanes.enter(tx, lane, job)
        return Replayed(replayed=True, state=requests.PENDING, verdict=requests.PASSED)

    def discard(self, tx: Transaction, row: RequestRow, reason: str, by: str, now: datetime) -> None:
        """Give a request up, so that it is neither executed nor driven again; raises `Conflict`."""
        if row.cause == DISCARDED or row.state in (requests.RUNNING, requests.DONE, requests.DUPLICATE):
            raise Conflict(f"a request that is {DISCARDED if row.cause == DISCARDED else row.state} can't be discarded")
        _check(discard(tx, row, DISCARDED, [f"discarded by {by}: {reason}", *(row.errors or ())], now))
        job = Job(requests.KIND, row.request_id, row.attempt, now, row.organization_id)
        self._jobs.cancel(tx, job)
        if row.lane is not None:
            self._lanes.leave(tx, Lane(row.lane), job)

    def _refused_again(self, tx: Transaction, row: RequestRow, decision: Decision) -> Replayed:
        verdict = decision.verdict
        _check(change(tx, row, {"cause": verdict.cause, "errors": [verdict.detail]}))
        return Replayed(False, row.state, verdict.cause or "", verdict.detail)

    def _claimed_by_another(self, tx: Transaction, row: RequestRow, decision: Decision, now: datetime) -> str | None:
        """Return the id of the request that the provider's id belongs to, if that is another one; else take the id."""
        key = decision.dedupe_key
        if key is None or row.dedupe_key is not None or row.state == requests.DONE:
            return None
        first = deduplication.first_with_key(tx, key, now)
        if first is not None:
            return first.request_id
        _check(claim(tx, row, key))
        return None

    def _repeats(self, tx: Transaction, row: RequestRow, first: str) -> Replayed:
        """What was refused is a repetition by now; what was executed and failed stays that."""
        detail = f"the request {first} came with the same id; nothing is executed twice"
        if row.state not in REFUSED:
            raise Conflict(detail)
        _check(
            change(tx, row, {"state": requests.DUPLICATE, "cause": "duplicate", "duplicate_of": first, "errors": None})
        )
        return Replayed(False, requests.DUPLICATE, "duplicate", detail)

    def _marked(self, row: RequestRow, by: Envelope, columns: dict[str, Any]) -> dict[str, Any]:
        """Return the columns with how deep the request stands: one deeper than a message that nobody sent by hand."""
        if by.is_by_hand:
            return columns
        headers = columns.get("headers", row.headers)
        return {
            **columns,
            "headers": {**headers, CAUSE: self._causation.write(by.depth, row.request_id, row.request_id)},
        }

    def _stored_with(self, row: RequestRow, decision: Decision) -> dict[str, Any]:
        """Return to whom a request belongs that was refused before; any other one stays whose it is."""
        if row.state not in REFUSED:
            return {}
        source, seal = decision.source, self._judge.seal
        columns: dict[str, Any] = {
            "organization_id": source.organization_id,
            "config_id": source.config_id,
            "config_key": source.config_key,
            "revision": source.revision,
            "provider": source.provider,
            **seal.columns(seal.whole(row), source.confidential),
        }
        answer = decision.answer
        if answer is not None and decision.delivery_id is not None:
            columns |= seal.answer_columns(answer)
        return columns


def _why_not(row: RequestRow, now: datetime, *, force: bool) -> str | None:
    if row.state in (requests.PENDING, requests.RUNNING) or (
        row.next_attempt_at is not None and row.next_attempt_at <= now
    ):
        return "the request is about to be executed; wait for its outcome"
    if row.state == requests.DUPLICATE:
        return f"the request repeats {row.duplicate_of}; replay that one"
    if row.cause == DISCARDED:
        return "the request was discarded"
    if row.state == requests.DONE and not force:
        return "the request was executed successfully; set force to true to do it a second time"
    if not is_whole(row):
        return "the body of the request is not kept, so there is nothing to execute"
    return None


def is_whole(row: StoredCall) -> bool:
    """Tell whether the body was stored: one over the limit is not, and retention may have taken it."""
    declared = row.headers.get("content-length", "0" if not row.body else str(len(row.body)))
    is_streamed = "transfer-encoding" in row.headers and not row.body
    return not is_streamed and declared == str(len(row.body))


def _reopened_columns(row: RequestRow, by: str, now: datetime) -> dict[str, Any]:
    """Return the columns of a request that is open again; its attempts go on, and its policy begins anew."""
    return {
        "state": requests.PENDING,
        "cause": None,
        "errors": None,
        "next_attempt_at": now,
        "completed_at": None,
        "attempts_before": row.attempt,
        "replay_count": row.replay_count + 1,
        "replayed_by": by,
        "run": row.run + 1 if row.state == requests.DONE else row.run,
    }


def _check(changed: bool) -> None:
    if not changed:
        raise Conflict(CHANGED)
