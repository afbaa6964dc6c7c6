"""What happens to every message around its handler."""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import reduce
from typing import Any

import structlog

from bpm.bus.envelope import MAX_DEPTH, Envelope
from bpm.bus.messages import Message
from bpm.bus.outcome import Outcome
from bpm.bus.rights import Rights
from bpm.errors import Exhausted, Forbidden
from bpm.metrics import Counter, Histogram
from bpm.security.permissions import Permission, Principal
from bpm.store import Transaction
from bpm.tracing import AttributeValue, Tracer, read_traceparent

Next = Callable[[Envelope], Awaitable[Outcome]]
Behavior = Callable[[Envelope, Next], Awaitable[Outcome]]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
"""The bounds of what is measured in seconds."""

log = structlog.get_logger("bpm.bus")


def compose(behaviors: Sequence[Behavior], last: Next) -> Next:
    """Return one function that takes an envelope through all behaviors, the first outermost."""

    def around(inner: Next, behavior: Behavior) -> Next:
        return lambda envelope: behavior(envelope, inner)

    return reduce(around, reversed(behaviors), last)


class Measured:
    """Counts messages and how long they take, and says it in the log; its instance is the behavior."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        """Begin at nothing; a tracer gets a span of each message."""
        self._tracer = tracer
        self.messages = Counter(
            "bpm_messages_total", "Commands and queries, by type and by how they ended.", "type", "outcome"
        )
        self.seconds = Histogram("bpm_message_duration_seconds", "How long they took.", SECONDS)

    async def __call__(self, envelope: Envelope, proceed: Next) -> Outcome:
        """Say what was done and how long it took."""
        started = time.perf_counter()
        outcome = await proceed(envelope)
        seconds = time.perf_counter() - started
        self.messages.add(envelope.name, "done" if outcome.ok else "failed")
        self.seconds.observe(seconds)
        log.debug(
            "message",
            type=envelope.name,
            principal=envelope.principal.name,
            request_id=envelope.request_id,
            correlation_id=envelope.root,
            ok=outcome.ok,
            milliseconds=round(seconds * 1000, 2),
        )
        if self._tracer is not None:
            _record(self._tracer, envelope, outcome, seconds)
        return outcome


def _record(tracer: Tracer, envelope: Envelope, outcome: Outcome, seconds: float) -> None:
    """Write down a span: the first of its trace, unless something caused the message or took it from outside."""
    attributes: dict[str, AttributeValue] = {
        "bpm.message.type": envelope.name,
        "bpm.request.id": envelope.request_id,
        "bpm.organization.id": envelope.principal.organization_id,
        "bpm.depth": envelope.depth,
    }
    if outcome.error is not None:
        attributes["error.type"] = type(outcome.error).__name__
    tracer.record(
        f"execute {envelope.name}",
        envelope.root,
        seconds,
        attributes,
        kind="server" if envelope.is_by_hand else "internal",
        is_first=not envelope.correlation_id and envelope.recorder is None,
        links=(read_traceparent(envelope.traceparent),),
        is_failed=outcome.error is not None,
    )


def authorise(envelope: Envelope, rights: Rights | None = None, tx: Transaction | None = None) -> None:
    """Raise `Forbidden` without the permission, `Exhausted` at the end of the depth."""
    permit(envelope.principal, type(envelope.message), rights, tx)
    if envelope.depth > MAX_DEPTH:
        raise Exhausted(f"more than {MAX_DEPTH} messages caused one another; is there a rule that triggers itself?")


def permit(
    principal: Principal,
    message_type: type[Message[Any]],
    rights: Rights | None = None,
    tx: Transaction | None = None,
) -> None:
    """Raise `Forbidden` unless `principal` may send such messages; the edge asks before it reads the fields."""
    if message_type.permission is not None:
        demand(principal, message_type.permission, message_type.__name__, rights, tx)


def demand(
    principal: Principal,
    permission: Permission,
    purpose: str,
    rights: Rights | None = None,
    tx: Transaction | None = None,
) -> None:
    """Raise `Forbidden` without a permission; `purpose` begins the sentence, `rights` know who lacks it."""
    if not principal.allows(permission):
        who = rights.who_lacks(principal, permission, tx) if rights is not None else ""
        raise Forbidden(f"{purpose} needs the permission {permission}{who}")
