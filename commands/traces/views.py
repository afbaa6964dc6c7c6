"""A trace as answers show it: every part by its ids and how it went, none with its contents."""

from typing import Literal

from bpm.bus import Moment, View
from bpm.events.delivery_tables import State as DeliveryState
from router.decision.verdict import Cause
from router.tables.requests import State as RequestState
from scripts import Reason

Part = Literal["request", "messages", "events", "deliveries", "instances", "runs"]
Found = Literal["request", "message", "event", "delivery", "instance", "run", "scheduled", "correlation"]
"""What an id may be the id of."""


class TracedTryView(View):
    """One attempt to execute the request."""

    number: int
    """Which attempt it was, from 1."""
    started_at: Moment
    ended_at: Moment
    outcome: Literal["done", "failed", "dead"]
    """How it ended."""
    errors: list[str] | None


class TracedRequestView(View):
    """The captured request with which it began; its bytes are those of `GetInboundRequestByIdQuery`."""

    request_id: str
    received_at: Moment
    method: str
    path: str
    address: str
    state: RequestState
    """How far it is."""
    verdict: Literal["passed", "discarded", "poisoned"] | Cause
    errors: list[str] | None
    config_id: int | None
    config_key: str | None
    revision: int | None
    provider: str | None
    message_type: str | None
    duplicate_of: str | None
    """The request that it repeats."""
    replay_count: int
    completed_at: Moment | None
    attempts: list[TracedTryView]
    """The attempts to execute it."""


class TracedMessageView(View):
    """A command that was sent; `causationId` is the `requestId` of the one that sent it, or of the request."""

    id: int
    at: Moment
    """When it was sent."""
    type: str
    """The `$type` of the command."""
    principal: str
    principal_name: str
    ok: bool
    error: str | None
    request_id: str
    causation_id: str | None


class TracedEventView(View):
    """An event that was published."""

    id: str
    at: Moment
    """When it was published."""
    event: str


class TracedAttemptView(View):
    """One request made for a delivery."""

    id: int
    at: Moment
    """When it was made."""
    number: int
    """Which attempt it was, from 1."""
    ok: bool
    status: int | None
    """The HTTP status of the answer; null without one."""
    error: str | None
    duration_ms: float


class TracedDeliveryView(View):
    """An event on its way to a subscription, with the requests made."""

    id: str
    at: Moment
    """When it was made."""
    event_id: str
    subscription_id: int
    state: DeliveryState
    """How far it is."""
    next_attempt_at: Moment | None
    completed_at: Moment | None
    attempts: list[TracedAttemptView]
    """The requests that were made."""


class TracedTokenView(View):
    """Where a token of an instance stands, and what it waits for; `problem` says what an incident is about."""

    wait_id: int
    element_id: str
    kind: str
    """What kind of thing it waits for."""
    since: Moment
    """Since when it waits."""
    due_at: Moment | None
    problem: str | None = None
    """What an incident is about; null where there is none."""


class TracedInstanceView(View):
    """An instance that was started, with its tokens; an ended one has none."""

    instance_id: int
    at: Moment
    """When it was started."""
    process_key: str
    process_definition_id: int
    business_key: str | None
    parent_instance_id: int | None
    status: Literal["RUNNING", "WAITING", "COMPLETED", "ERROR", "CANCELLED"]
    """How it is."""
    ended_at: Moment | None
    tokens: list[TracedTokenView]
    """Where its tokens stand."""


class TracedFailureView(View):
    """Why a run of a script did not come to its end, and where."""

    reason: Reason
    """Which kind of failure it is."""
    message: str
    """What went wrong."""
    line: int | None


class TracedRunView(View):
    """A run of a script."""

    run_id: str
    at: Moment
    """When it ran."""
    request_id: str
    rule: str | None
    """The number of its rule and its revision."""
    failure: TracedFailureView | None
    """Why it did not come to its end; null when it did."""


class TraceView(View):
    """Everything that goes back to one cause, each part from its beginning on.

    `foundAs` says what the id was the id of. `cut` names the parts of which there is more than is shown, `hidden`
    those that the sender may not read.
    """

    correlation_id: str
    found_as: Found
    """What the id was the id of."""
    request: TracedRequestView | None
    """The request with which it began."""
    messages: list[TracedMessageView]
    """The commands that were sent."""
    events: list[TracedEventView]
    """The events that were published."""
    deliveries: list[TracedDeliveryView]
    """The events on their way to subscriptions."""
    instances: list[TracedInstanceView]
    """The process instances."""
    runs: list[TracedRunView]
    """The runs of scripts."""
    cut: list[Part]
    """The parts of which there is more."""
    hidden: list[Part]
    """The parts that you may not read."""
