"""Captured requests as answers show them: lists without bodies, never a credential."""

import base64
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from bpm.bus import Moment, Page, ShownWith, View
from bpm.bus.tables import AuditEntry
from bpm.security.redaction import redacted, redacted_text
from router.attempts.tables import InboundAttempt
from router.decision.verdict import Cause
from router.mapping import fields_of
from router.request import call_of
from router.request_secrets import ALWAYS
from router.tables.requests import PASSED, InboundRequest, RequestRow, State

StoredRequest = RequestRow | InboundRequest
"""A request by itself, or one of a page of them."""

Content = ShownWith("inbound:read")
"""What senders wrote, and sentences that may repeat it."""

Verdict = Literal["passed", "discarded", "poisoned"] | Cause
"""Passed or the cause of a refusal; `discarded` was given up by somebody, `poisoned` ended the processes it ran in."""


class InboundRequestView(View):
    """A captured request and what became of it; `verdict` is `passed` or the cause of its refusal.

    One that somebody made of another by hand says so in `resentOf` and `resentBy`.
    """

    request_id: str
    state: State
    """How far it is."""
    verdict: Verdict
    config_id: int | None = None
    config_key: str | None = None
    revision: int | None = None
    provider: str | None = None
    method: str
    path: Annotated[str, Content]
    address: Annotated[str, Content]
    received_at: Moment
    attempt: int
    """How many attempts were made."""
    next_attempt_at: Moment | None = None
    completed_at: Moment | None = None
    message_type: str | None = None
    duplicate_of: str | None = None
    """The request that it repeats."""
    answer_status: int | None = None
    """The HTTP status of the answer."""
    errors: Annotated[list[str] | None, Content] = None
    lane: str | None = None
    """The lane in which it keeps its order."""
    replay_count: int = 0
    replayed_by: str | None = None
    """Who last drove it again."""
    replayed_revision: int | None = None
    """The revision of its rule, or of the draft, by which it was last driven again; null: its rule as it was."""
    replayed_draft_id: int | None = None
    """The draft by which it was last driven again."""
    resent_of: str | None = None
    """The request of which somebody made it."""
    resent_by: str | None = None
    """Who made it."""


class InboundRequestPage(Page[InboundRequestView]):
    """One page of captured requests; a search looked at those received since `searchedSince`, or at all."""

    searched_since: Moment | None = None
    """Only requests since then were searched; null for all."""


class InboundAttemptView(View):
    """One attempt to execute a request; `replay` counts how often it had been driven again by hand by then.

    `outcome` is `done`, `failed` or `dead`, and `worker` the host and process that tried.
    """

    number: int
    """Which attempt it was, from 1."""
    replay: int
    """How often it had been driven again by then."""
    replayed_by: str | None = None
    """Who drove it again."""
    started_at: Moment
    ended_at: Moment
    outcome: Literal["done", "failed", "dead"]
    """How it ended."""
    errors: list[str] | None = None
    message_type: str | None = None
    worker: str
    """The host and process that tried."""


class TimelineEntryView(View):
    """Something that happened to a request."""

    at: Moment
    """When it happened."""
    event: Literal["received", "judged", "command", "retry", "completed"]
    """What happened."""
    detail: str
    """What more there is to say of it."""


class InboundRequestDetailView(InboundRequestView):
    """A whole captured request; `body` is as it came, a compressed one expanded, until it is pruned.

    It is text or, if it is none, base64.

    Credentials and signatures in headers and query, and secrets in the body, are stars.

    `attempts` are those that failed and the last one after failures; one that succeeded at once left no trace there.
    """

    query: dict[str, str | list[str]]
    headers: dict[str, str]
    body: str
    """The body, as text or in base64."""
    body_encoding: Literal["text", "base64"]
    """How `body` is written."""
    body_pruned: bool = False
    """Whether retention has taken the body."""
    result: Any = None
    """What the message answered."""
    attempts: list[InboundAttemptView]
    """The attempts that failed, and the last one."""
    timeline: list[TimelineEntryView]
    """What happened to it, the first thing first."""


def to_view(row: StoredRequest) -> InboundRequestView:
    """Show one request in a list."""
    return InboundRequestView.model_validate(_common(row))


def to_detail_view(
    row: RequestRow, audit: Iterable[AuditEntry], history: Iterable[InboundAttempt]
) -> InboundRequestDetailView:
    """Show everything of one request; `audit` are the commands that it caused."""
    body, encoding = _readable(_expanded(row))
    if encoding == "text" and row.sealed is None:  # what earlier versions stored, secrets in it not written over
        body = redacted_text(body)
    return InboundRequestDetailView.model_validate(
        {
            **_common(row),
            "query": fields_of(parse_qsl(ALWAYS.query_to_store(row.query), keep_blank_values=True)),
            "headers": ALWAYS.headers_to_store(row.headers),
            "body": body,
            "body_encoding": encoding,
            "body_pruned": row.body_pruned,
            "result": redacted(row.result),
            "attempts": [InboundAttemptView.model_validate(attempt) for attempt in history],
            "timeline": list(_timeline(row, audit)),
        }
    )


def _common(row: StoredRequest) -> dict[str, Any]:
    told = {
        "verdict": row.cause or PASSED,
        "replayed_revision": row.replayed_as["revision"] if row.replayed_as else None,
        "replayed_draft_id": row.replayed_as["draftId"] if row.replayed_as else None,
    }
    return told | {name: getattr(row, name) for name in InboundRequestView.model_fields if name not in told}


def _expanded(row: RequestRow) -> bytes:
    """Return a body as it was before it was compressed; one that is hidden or broken as it stands."""
    try:
        return call_of(row).content
    except ValueError:
        return row.body


def _readable(body: bytes) -> tuple[str, str]:
    try:
        return body.decode(), "text"
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"


def _timeline(row: RequestRow, audit: Iterable[AuditEntry]) -> Iterator[TimelineEntryView]:
    yield TimelineEntryView(at=row.received_at, event="received", detail=f"{row.method} /{row.path} from {row.address}")
    said = "; ".join(row.errors or ()) if row.cause else ""
    yield TimelineEntryView(
        at=row.received_at, event="judged", detail=f"{row.cause or PASSED}{': ' if said else ''}{said}"
    )
    for entry in audit:
        outcome = "succeeded" if entry.ok else f"failed: {entry.error}"
        yield TimelineEntryView(at=entry.created_at, event="command", detail=f"{entry.type} {outcome}")
    if row.next_attempt_at is not None:
        yield TimelineEntryView(at=row.next_attempt_at, event="retry", detail=f"attempt {row.attempt + 1} is due")
    if row.completed_at is not None:
        yield TimelineEntryView(at=row.completed_at, event="completed", detail=row.state)
