"""Makes a new request of a captured one, with what somebody changed in it.

Nothing proves such a request: who sends it must be allowed to change the rule, and is asked in what it does beside the
rule's people, as whoever changes the rule is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bpm.bus import Envelope
from bpm.errors import Conflict, Invalid
from bpm.jobs import Job, JobQueue, Lanes
from bpm.security.causation_header import HEADER as CAUSE
from bpm.security.causation_header import CausationHeader
from bpm.security.identifiers import new_id
from bpm.security.redaction import REDACTED
from bpm.store import Transaction
from bpm.tracing import Tracer
from router.decision import Decision
from router.replay.judgement import Judge
from router.replay.replays import is_whole
from router.request import InboundCall
from router.rule import Rule
from router.spans import record_resend
from router.tables import requests
from router.tables.requests import RequestRow

BY_HAND = frozenset({"content-length", "content-encoding", "transfer-encoding"})
"""Headers that say how the body was sent, which is told anew."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What is sent instead of what came; None: as it came."""

    body: bytes | None = None
    headers: Mapping[str, str] | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Resent:
    """A request that was made by hand, and how it is taken."""

    call: InboundCall
    decision: Decision
    columns: Mapping[str, Any]


class Resends:
    """Sends captured requests again as new ones."""

    def __init__(
        self, judge: Judge, jobs: JobQueue, lanes: Lanes, causation: CausationHeader, tracer: Tracer | None
    ) -> None:
        """Take who finds the rule, what wakes the worker, and what says how deep the new request stands."""
        self._causation = causation
        self._tracer = tracer
        self._judge = judge
        self._jobs = jobs
        self._lanes = lanes

    def edited(self, row: RequestRow, edit: Edit, address: str, now: datetime, depth: int) -> Resent:
        """Return the new request, which stands one deeper than the message that has it sent, at `depth`.

        Raises `Conflict` when no rule takes it, or `Invalid` when it is too large.
        """
        rule = self._rule_of(row)
        if edit.body is None and not is_whole(row):
            raise Conflict("the body of the request is not kept; give one")
        captured = self._judge.seal.without_proofs(row)
        body = captured.content if edit.body is None else edit.body
        headers = {name: value for name, value in captured.headers.items() if value != REDACTED}
        headers |= {name.lower(): value for name, value in (edit.headers or {}).items()}
        sent = {name: value for name, value in headers.items() if name not in BY_HAND}
        cause = self._causation.write(depth, row.request_id, row.request_id)
        call = replace(
            captured,
            id=new_id(),
            received_at=now,
            address=address,
            headers={**sent, "content-length": str(len(body)), CAUSE: cause},
            query_string=captured.query_string if edit.query is None else edit.query.removeprefix("?"),
            body=body,
        )
        if len(body) > rule.max_body_bytes:
            raise Invalid(f"body: has {len(body)} bytes, the rule takes {rule.max_body_bytes}")
        decision = self._judge.admit(call, row)
        return Resent(call, decision, self._judge.seal.columns(call, decision.source.confidential))

    def _rule_of(self, row: RequestRow) -> Rule:
        if row.config_id is None:
            raise Conflict("the request came to no rule, so none would take it; create one and replay the request")
        rule = self._judge.own_rule(row)
        if rule.broken is not None:
            raise Conflict(rule.broken)
        if not rule.enabled:
            raise Conflict("the rule is switched off; switch it on first")
        return rule

    def store(self, tx: Transaction, resent: Resent, of: RequestRow, by: Envelope) -> None:
        """Store it as a request that waits, with where it comes from, and ask for its execution."""
        call, source, lane = resent.call, resent.decision.source, resent.decision.lane
        job = Job(requests.KIND, call.id, 0, call.received_at, source.organization_id)
        row = {
            "organization_id": source.organization_id,
            "request_id": call.id,
            "config_id": source.config_id,
            "config_key": source.config_key,
            "revision": source.revision,
            "method": call.method,
            **resent.columns,
            "address": call.address,
            "received_at": call.received_at,
            "state": requests.PENDING,
            "attempt": 0,
            "lane": lane.name if lane is not None else None,
            "resent_of": of.request_id,
            "resent_by": by.principal.name,
            "resent_for": by.principal.standing.to_json(),
        }
        requests.insert(tx, row)
        record_resend(self._tracer, tx, call, of, by)
        if lane is None:
            self._jobs.enqueue(tx, job)
        else:
            self._lanes.enter(tx, lane, job)
