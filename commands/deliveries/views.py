"""Deliveries as answers show them."""

from typing import Annotated, Any

from bpm.bus import Moment, ShownWith, View
from bpm.events.delivery_request import EventNotice, standard_body
from bpm.events.delivery_tables import Delivery, DeliveryAttempt, State
from bpm.events.tables import Event
from bpm.exact_json import write_json
from bpm.security.redaction import redacted_text, without_credentials

MAX_BODY_SHOWN = 4 * 1024


class DeliveryView(View):
    """One event on its way to one subscription; `nextAttemptAt` is set while it is pending."""

    id: str
    subscription_id: int
    event_id: str
    event: str
    state: State
    """How far it is."""
    attempts: int
    """How many attempts were made."""
    is_test: bool
    """Whether somebody sent it to try the subscription."""
    last_status: int | None
    """The HTTP status of the last answer; null without one."""
    last_error: Annotated[str | None, ShownWith("deliveries:read")]
    """Why the last attempt failed."""
    duration_ms: float | None
    next_attempt_at: Moment | None
    created_at: Moment
    completed_at: Moment | None


class AttemptView(View):
    """One request and its answer; bodies are shown up to 4 KB, the answer's headers without cookies."""

    id: int
    delivery_id: str
    subscription_id: int
    event: str
    attempt: int
    """Which attempt it was, from 1."""
    ok: bool
    status: int | None
    """The HTTP status of the answer; null without one."""
    error: str | None
    duration_ms: float
    request_body: str | None
    """The beginning of the body that was sent."""
    response_headers: dict[str, str] | None
    """The headers of the answer, without cookies."""
    response_body: str | None
    """The beginning of the answer's body."""
    created_at: Moment


class DeliveryDetailView(DeliveryView):
    """A delivery with its event's data and all its attempts."""

    data: dict[str, Any]
    """The data of the event."""
    history: list[AttemptView]
    """The attempts, the first one first."""


class RecoveryView(View):
    """How many deliveries were found; unless it was a `preview`, they go again.

    `goesOn` says that there are more: the rest follows by itself, or was not counted.
    """

    preview: bool
    found: int
    """How many were found."""
    goes_on: bool
    """Whether there are more."""


def to_view(row: Delivery) -> DeliveryView:
    """Show a delivery."""
    return DeliveryView.model_validate(_fields(row))


def to_detail_view(row: Delivery, event: Event, attempts: list[DeliveryAttempt]) -> DeliveryDetailView:
    """Show a delivery with its event and attempts."""
    history = [to_attempt_view(attempt, event) for attempt in attempts]
    return DeliveryDetailView.model_validate(
        {**_fields(row), "data": without_credentials(event.data), "history": history}
    )


def to_attempt_view(row: DeliveryAttempt, event: Event | None) -> AttemptView:
    """Show an attempt; a body that was not kept is made anew from the event, as long as that is there."""
    body = row.request_body or (_usual_body(event) if event is not None else None)
    fields = {**row.model_dump(), "event": event.name if event else "", "attempt": row.number}
    fields |= {
        "request_body": body and redacted_text(body),
        "response_body": row.response_body and redacted_text(row.response_body),
    }
    return AttemptView.model_validate(fields)


def _fields(row: Delivery) -> dict[str, Any]:
    return {**row.model_dump(), "next_attempt_at": row.due_at}


def _usual_body(event: Event) -> str:
    body = standard_body(EventNotice(event.id, event.name, event.created_at, write_json(event.data)))
    return body[:MAX_BODY_SHOWN].decode("utf-8", "replace")
