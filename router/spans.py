"""The spans of a request: with the one that takes it in its trace begins; those of a replay link two traces."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial

from bpm.bus import Envelope
from bpm.store import Transaction
from bpm.tracing import TRACEPARENT, AttributeValue, Tracer, read_traceparent
from router.decision import Decision
from router.request import InboundCall
from router.tables.requests import RequestRow


def is_known(decision: Decision) -> bool:
    """Tell whether a rule or provider is asked: what strangers send anywhere is not traced."""
    return decision.source.config_id is not None or decision.source.provider is not None


@contextmanager
def recorded_acceptance(tracer: Tracer, call: InboundCall, decision: Decision, began: float) -> Generator[None]:
    """Write down the first span of a request's trace; the sender's own is linked, and not gone on with.

    `began` is the moment of `time.perf_counter`.
    """
    source, verdict = decision.source, decision.verdict
    attributes: dict[str, AttributeValue] = {
        "bpm.request.id": call.id,
        "bpm.organization.id": source.organization_id,
        "http.request.method": call.method,
    }
    if source.config_key is not None:
        attributes |= {"bpm.rule.key": source.config_key, "bpm.rule.revision": source.revision or 0}
    if source.provider is not None:
        attributes["bpm.provider"] = source.provider
    if verdict.cause is not None:
        attributes["bpm.refusal.cause"] = verdict.cause
    is_failed = True
    try:
        yield
        is_failed = not verdict.passed
    finally:
        tracer.record(
            f"accept {source.config_key or source.provider}",
            call.id,
            time.perf_counter() - began,
            attributes,
            kind="server",
            is_first=True,
            links=(read_traceparent(call.headers.get(TRACEPARENT, "")),),
            is_failed=is_failed,
        )


def record_replay(tracer: Tracer | None, tx: Transaction, row: RequestRow, by: Envelope) -> None:
    """Write down, once it is committed, that a message had a request driven again: in both traces, each linked."""
    if tracer is not None:
        tx.after_commit(partial(_link, tracer, row.request_id, by.root))


def record_resend(tracer: Tracer | None, tx: Transaction, call: InboundCall, of: RequestRow, by: Envelope) -> None:
    """Write down, once it is committed, that a new request was made of another, whose trace it is linked to."""
    if tracer is not None:
        tx.after_commit(partial(_begin, tracer, call.id, of.request_id, by.root))


def _link(tracer: Tracer, request_id: str, by: str) -> None:
    attributes = {"bpm.request.id": request_id}
    tracer.record("replay", request_id, 0, attributes, links=(tracer.first_of(by),))
    tracer.record("replay", by, 0, attributes, links=(tracer.first_of(request_id),))


def _begin(tracer: Tracer, request_id: str, of: str, by: str) -> None:
    links = (tracer.first_of(of), tracer.first_of(by))
    tracer.record("resend", request_id, 0, {"bpm.request.id": request_id}, is_first=True, links=links)
