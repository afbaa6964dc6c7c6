"""PlanDocket's interface: `/api/v1/webhooks`, for organisations that have the feature `webhooks`.

Its one scope, `webhooks`, stands for our `subscriptions:read`, `subscriptions:write` and `events:read`. Answers are
`{"data", "meta": {"request_id"}}`, refusals `{"error"}`.
"""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

from bpm.edge.request import Incoming
from bpm.errors import BpmError, Forbidden, Invalid, NotFound
from bpm.web.dialects.call import Call
from bpm.web.dialects.dialect import Dialect, Operation, sentence_of
from bpm.web.dialects.events import event_names
from bpm.web.dialects.wire import Asked, Shown, field_errors, require_all, require_known, translated

T = TypeVar("T")

NAME = "plandocket"
SCOPE = "webhooks"
LIST, EVENTS, ONE = "/api/v1/webhooks", "/api/v1/webhooks/events", "/api/v1/webhooks/{id}"
MISSING = "Webhook not found"
RETRY_COUNT, TIMEOUT_SECONDS = 3, 30


class FeatureOff(Forbidden):
    """The feature webhooks is not available to your organization"""  # noqa: D400, D415 a text of the interface's


class NewWebhook(Asked):
    """What is created."""

    url: str = Field(description="An HTTPS endpoint")
    events: list[str] = Field(min_length=1)
    """The events that are wanted."""
    name: str | None = Field(None, description="A display name")
    is_active: bool | None = Field(None, description="Without it, true")
    headers: dict[str, str] | None = Field(None, description="Further headers of the deliveries")
    retry_count: int | None = Field(None, ge=0, le=20, description=f"Without it, {RETRY_COUNT}")
    timeout_seconds: int | None = Field(None, ge=1, le=120, description=f"Without it, {TIMEOUT_SECONDS}")


class Described(Shown):
    """What a webhook is, and when it was last sent something; `failure_count` counts since the last success."""

    id: int
    name: str
    url: str
    """Where deliveries go."""
    events: list[str]
    """The events that are wanted."""
    is_active: bool
    """Whether it is switched on."""
    retry_count: int | None
    timeout_seconds: int
    last_triggered_at: str | None
    last_success_at: str | None
    last_failure_at: str | None
    failure_count: int


class Webhook(Described):
    """A webhook."""

    created_at: str


class WebhookWithSecret(Described):
    """A webhook with the secret its deliveries are signed with."""

    secret: str
    """What its deliveries are signed with."""
    created_at: str


class Meta(BaseModel):
    """By which the request is found in the log."""

    request_id: str


class Answer(BaseModel, Generic[T]):
    """An answer."""

    data: T
    """What was asked for."""
    meta: Meta
    """By which the request is found in the log."""


class Problem(BaseModel):
    """A refusal; `errors` are there for problems of fields."""

    error: str
    """What went wrong."""
    errors: dict[str, list[str]] = Field(default_factory=dict[str, list[str]])
    """What is wrong with each field."""


async def list_webhooks(call: Call) -> Answer[list[Webhook]]:
    """List all webhooks."""
    found = await call.everything("GetSubscriptionListQuery", dialect=NAME, sortBy="id", sortDirection="asc")
    return _answer([Webhook.model_validate(item) for item in found], call)


async def create_webhook(call: Call) -> Answer[WebhookWithSecret]:
    """Create a webhook."""
    usual = {"retryCount": RETRY_COUNT, "timeoutSeconds": TIMEOUT_SECONDS, "dialect": NAME}
    fields = usual | translated(call.body, NewWebhook)
    require_all(
        lambda: require_known(call.body, NewWebhook),
        lambda: call.decode("CreateSubscriptionCommand", **fields),
    )
    made = await call.send("CreateSubscriptionCommand", **fields)
    return _answer(WebhookWithSecret.model_validate(made), call)


async def get_webhook(call: Call) -> Answer[WebhookWithSecret]:
    """Show a webhook with its secret."""
    found = await call.send("GetSubscriptionSecretQuery", id=call.row_id("id"), dialect=NAME)
    return _answer(WebhookWithSecret.model_validate(found), call)


async def delete_webhook(call: Call) -> None:
    """Delete a webhook."""
    await call.send("DeleteSubscriptionCommand", id=call.row_id("id"), dialect=NAME)


async def list_events(call: Call) -> Answer[list[str]]:
    """List the types of events that can be subscribed to."""
    return _answer(await event_names(call, NAME), call)


async def admit(call: Call) -> Call:
    """Refuse organisations without the feature; raises `FeatureOff`."""
    if not (await call.send("GetOwnOrganizationQuery"))["features"]["webhooks"]:
        raise FeatureOff
    return call


def problem(error: BpmError, _operation: Operation | None, _request: Incoming) -> dict[str, Any]:
    """Say no as PlanDocket does."""
    match error:
        case FeatureOff():
            return {"error": error.message}
        case Forbidden():
            return {"error": f"The API key lacks the scope {SCOPE}"}
        case NotFound():
            return {"error": MISSING}
        case Invalid():
            return {"error": "Validation failed", "errors": field_errors(error)}
        case _:
            return {"error": sentence_of(error)}


def _answer(data: T, call: Call) -> Answer[T]:
    request_id = call.request.request_id
    marked = request_id if request_id.startswith("req_") else f"req_{request_id}"
    return Answer(data=data, meta=Meta(request_id=marked))


Webhooks, Whole, Names = Answer[list[Webhook]], Answer[WebhookWithSecret], Answer[list[str]]

DIALECT = Dialect(
    name=NAME,
    operations=(
        Operation("GET", LIST, "GetSubscriptionListQuery", SCOPE, list_webhooks, Webhooks),
        Operation("POST", LIST, "CreateSubscriptionCommand", SCOPE, create_webhook, Whole, 201, NewWebhook),
        Operation("GET", EVENTS, "GetEventTypeListQuery", SCOPE, list_events, Names),
        Operation("GET", ONE, "GetSubscriptionSecretQuery", SCOPE, get_webhook, Whole, missing=MISSING),
        Operation("DELETE", ONE, "DeleteSubscriptionCommand", SCOPE, delete_webhook, None, 204, missing=MISSING),
    ),
    problem=problem,
    error=Problem,
    admit=admit,
)
