"""Mokapen's interface: `/api/webhooks` and `/api/webhook-events`; a token is bound to one organisation.

Scope `webhooks.read` stands for our `subscriptions:read`, `deliveries:read` and `events:read`, `webhooks.write` for
`subscriptions:write`. Answers are `{"status", "message", "data"}`.
"""

import re
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from bpm.edge.request import LARGEST_ID, Incoming
from bpm.errors import BpmError, Forbidden, Invalid, NotFound, Unauthenticated
from bpm.web.dialects.call import Call
from bpm.web.dialects.dialect import Dialect, Operation, sentence_of
from bpm.web.dialects.events import event_names
from bpm.web.dialects.throttle import Throttled
from bpm.web.dialects.wire import Asked, Shown, field_errors, require_all, require_known, translated

T = TypeVar("T")

NAME = "mokapen"
READ, WRITE = "webhooks.read", "webhooks.write"
LIST, ONE, LOGS = "/api/webhooks", "/api/webhooks/{webhook_id}", "/api/webhooks/{webhook_id}/logs"
EVENTS = "/api/webhook-events"
MISSING = "Webhook not found"
LOGS_SHOWN, MOST_LOGS = 50, 200

_NUMBERED = re.compile(r"/api/webhooks/[0-9]+(/logs)?")


class ForeignOrganization(Forbidden):
    """This token is not authorized for this organization."""  # noqa: D404 Mokapen's words


class NewWebhook(Asked):
    """What is registered: where to, for which organisation, on which events."""

    url: str = Field(description="An HTTPS endpoint")
    org_id: int = Field(description="The organisation that the token is bound to")
    events: list[str] = Field(min_length=1)
    """The events that are wanted."""


class WebhookChange(Asked):
    """What is changed; the rest stays."""

    url: str | None = None
    """Where deliveries go from now on."""
    org_id: int | None = Field(None, description="The organisation that the token is bound to")
    events: list[str] | None = None
    """The events that are wanted from now on."""


class Organization(BaseModel):
    """Asks for the webhooks of an organisation, the token's own."""

    org_id: int | None = Field(None, description="The organisation that the token is bound to")


class Paging(Organization):
    """Which part of the log is asked for, the newest first."""

    page: int = Field(1, ge=1)
    per_page: int = Field(LOGS_SHOWN, ge=1, le=MOST_LOGS)


class Webhook(Shown):
    """A webhook."""

    id: int
    org_id: int = Field(validation_alias="organizationId")
    """The organisation that it belongs to."""
    url: str
    """Where deliveries go."""
    events: list[str]
    """The events that are wanted."""
    is_active: bool
    created_at: str
    updated_at: str | None


class CreatedWebhook(Webhook):
    """A webhook with the secret its deliveries are signed with, shown this once."""

    secret: str
    """What its deliveries are signed with, shown this once."""


class LogLine(Shown):
    """One request made to a webhook's URL and what was answered; `duration` is in milliseconds."""

    id: int
    webhook_id: int = Field(validation_alias="subscriptionId")
    """The webhook that it was sent to."""
    event: str
    status: Literal["success", "failed"]
    """Whether the receiver took it."""
    response_code: int | None = Field(validation_alias="status_code")
    """The status of the receiver's answer; null without one."""
    attempt: int
    """Which attempt it was, from 1."""
    duration: float = Field(validation_alias="durationMs")
    """How long it took, in milliseconds."""
    error: str | None
    request_body: str | None
    """The body that was sent."""
    response_body: str | None
    """The body of the answer."""
    created_at: str


class Said(BaseModel):
    """An answer that says what was done."""

    status: Literal[True] = True
    """That it was done."""
    message: str
    """What was done."""


class Answer(Said, Generic[T]):
    """An answer with data."""

    data: T
    """What was asked for."""


Webhooks, Created, Changed, Names = Answer[list[Webhook]], Answer[CreatedWebhook], Answer[Webhook], Answer[list[str]]


class Pages(BaseModel):
    """Where a page stands in its list."""

    current_page: int
    """Which page this is."""
    per_page: int
    """How many rows a page has."""
    last_page: int
    """How many pages there are."""
    total: int
    """How many rows there are."""


class Log(Answer[list[LogLine]]):
    """A page of a webhook's log."""

    meta: Pages
    """Where this page stands."""


class Problem(BaseModel):
    """A refusal; `errors` are there for a field's problem, the last three when there were too many requests."""

    status: Literal[False] = False
    """That it was refused."""
    message: str
    """What went wrong."""
    errors: dict[str, list[str]] = {}
    """What is wrong with each field."""
    max_attempts: int = 0
    """How many requests are allowed."""
    remaining: int = 0
    """How many of them are left."""
    retry_after: int = 0
    """After how many seconds to try again."""


async def list_webhooks(call: Call) -> Answer[list[Webhook]]:
    """List the organisation's webhooks."""
    found = await call.everything("GetSubscriptionListQuery", dialect=NAME, sortBy="id", sortDirection="asc")
    shown = [Webhook.model_validate(item) for item in found]
    return Answer(message="Webhooks retrieved successfully", data=shown)


async def create_webhook(call: Call) -> Answer[CreatedWebhook]:
    """Register a webhook; the answer alone shows its secret."""
    made = await _change(call, "CreateSubscriptionCommand", NewWebhook, None)
    return Answer(message="Webhook created successfully", data=CreatedWebhook.model_validate(made))


async def update_webhook(call: Call) -> Answer[Webhook]:
    """Change a webhook's URL or events."""
    own, id_ = call.principal.organization_id, call.row_id("webhook_id")
    changed = await _change(call, "UpdateSubscriptionCommand", WebhookChange, own, id=id_)
    return Answer(message="Webhook updated successfully", data=Webhook.model_validate(changed))


async def delete_webhook(call: Call) -> Said:
    """Delete a webhook."""
    await call.send("DeleteSubscriptionCommand", id=call.row_id("webhook_id"), dialect=NAME)
    return Said(message="Webhook deleted successfully")


async def list_logs(call: Call) -> Log:
    """Show what was sent to a webhook and what was answered, the newest first."""
    page, size = call.number("page", 1, 1_000_000_000), call.number("per_page", LOGS_SHOWN, MOST_LOGS)
    id_ = call.row_id("webhook_id")
    await call.send("GetSubscriptionByIdQuery", id=id_, dialect=NAME)
    found = await call.send("GetDeliveryAttemptListQuery", subscriptionId=id_, pageNumber=page, pageSize=size)
    lines = [_log_line(item) for item in found["items"]]
    last = max(1, found["totalPages"])
    pages = Pages(current_page=page, per_page=size, last_page=last, total=found["totalCount"])
    return Log(message="Webhook logs retrieved successfully", data=lines, meta=pages)


async def list_events(call: Call) -> Answer[list[str]]:
    """List the events that a webhook can be registered for."""
    return Answer(message="Webhook events retrieved successfully", data=await event_names(call, NAME))


def problem(error: BpmError, _operation: Operation | None, request: Incoming) -> dict[str, Any]:
    """Say no as Mokapen does."""
    match error:
        case Unauthenticated() if "authorization" not in request.headers:
            return _no("Unauthenticated: No Token Provided")
        case Unauthenticated():
            return _no("Invalid Token")
        case ForeignOrganization():
            return _no(error.message)
        case Forbidden():
            return _no("Missing required scopes")
        case NotFound():
            return _no(MISSING)
        case Throttled():
            limits = {"max_attempts": error.max_attempts, "remaining": 0, "retry_after": error.seconds}
            return {**_no(error.message), **limits}
        case Invalid():
            return {**_no("Validation failed"), "errors": field_errors(error)}
        case _:
            return _no(sentence_of(error))


async def admit(call: Call) -> Call:
    """Let a query go for the organisation it names; raises `ForeignOrganization`."""
    if "org_id" not in call.query:
        return call
    return await _for_organization(call, call.number("org_id", 0, LARGEST_ID))


def is_numbered(method: str, path: str) -> bool:
    """Tell whether a request below `/api/webhooks/` is for a webhook by its number, not for a rule.

    Mokapen has no POST and no PATCH there: a rule whose key is a number is still found.
    """
    return path[14:15].isdigit() and method not in ("POST", "PATCH") and _NUMBERED.fullmatch(path) is not None


async def _change(call: Call, command: str, asked: type[Asked], own: int | None, **fixed: Any) -> Any:
    """Send a command for the organisation that the body names, else the caller's; refuse with every problem at once."""
    fields = {**translated(call.body, asked), **fixed, "dialect": NAME}
    org_id = fields.pop("orgId", own)
    meant = await _for_organization(call, org_id) if type(org_id) is int else call
    require_all(
        lambda: _require_organization(org_id),
        lambda: require_known(call.body, asked),
        lambda: call.decode(command, **fields),
    )
    return await meant.send(command, **fields)


def _require_organization(org_id: object) -> None:
    if org_id is None:
        raise Invalid("org_id: Org id is required")
    if type(org_id) is not int:
        raise Invalid("org_id: must be an integer")


async def _for_organization(call: Call, org_id: int) -> Call:
    """Return the call as made for an organisation: the token's own, or any for an installation's that may."""
    if abs(org_id) > LARGEST_ID:
        raise ForeignOrganization
    try:
        return await call.acting_for(org_id)
    except (Forbidden, NotFound):
        raise ForeignOrganization from None


def _log_line(item: dict[str, Any]) -> LogLine:
    status = "success" if item["ok"] else "failed"
    return LogLine.model_validate({**item, "status": status, "status_code": item["status"]})


def _no(message: str) -> dict[str, Any]:
    return {"status": False, "message": message}


DIALECT = Dialect(
    name=NAME,
    operations=(
        Operation("GET", LIST, "GetSubscriptionListQuery", READ, list_webhooks, Webhooks, query=Organization),
        Operation("POST", LIST, "CreateSubscriptionCommand", WRITE, create_webhook, Created, 201, NewWebhook),
        Operation(
            "PUT", ONE, "UpdateSubscriptionCommand", WRITE, update_webhook, Changed, 200, WebhookChange, missing=MISSING
        ),
        Operation("DELETE", ONE, "DeleteSubscriptionCommand", WRITE, delete_webhook, Said, missing=MISSING),
        Operation("GET", LOGS, "GetDeliveryAttemptListQuery", READ, list_logs, Log, query=Paging, missing=MISSING),
        Operation("GET", EVENTS, "GetEventTypeListQuery", READ, list_events, Names),
    ),
    problem=problem,
    error=Problem,
    admit=admit,
)
