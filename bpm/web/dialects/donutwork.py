"""Donutwork's interface: `/2026-02-01/webhooks.json` and its neighbours.

Permission `webhooks:read` stands for our `subscriptions:read` and `events:read`, `webhooks:write` for
`subscriptions:write`. Ids are written `wh_001`; answers have no envelope, refusals are `{"error"}`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, Field

from bpm.bus.messages import Message
from bpm.edge.request import Incoming
from bpm.errors import BpmError, Forbidden, Invalid, Malformed, NotFound, Unauthenticated
from bpm.web.dialects.call import Call, row_id
from bpm.web.dialects.dialect import Dialect, Operation, sentence_of
from bpm.web.dialects.events import event_names
from bpm.web.dialects.wire import Asked, Shown, field_and_words, require_known, translated

NAME = "donutwork"
READ, WRITE = "webhooks:read", "webhooks:write"
LIST, ONE, TYPES = "/2026-02-01/webhooks.json", "/2026-02-01/webhook.json", "/2026-02-01/webhooks/types.json"
UNKNOWN = "Webhook not found."
NOT_DELETED = "Webhook not found. Unable to delete unknown resource"
NOT_AVAILABLE = "Some events are not available"
PREFIX = "wh_"
MOST_SHOWN = 100


def written_id(number: int) -> str:
    """Return a subscription's number as an id: `wh_001`."""
    return f"{PREFIX}{number:03d}"


def number_of(id_: str) -> int:
    """Return the number that an id stands for; raises `NotFound` for what is none."""
    number = row_id(id_.removeprefix(PREFIX).lstrip("0"))
    if written_id(number) != id_:
        raise NotFound
    return number


class NewWebhook(Asked):
    """What is subscribed to; one event may stand without brackets."""

    name: str
    """What it is called."""
    url: str = Field(description="An HTTPS endpoint")
    events: str | list[str]
    """The events that are wanted."""
    description: str | None = Field(None, description="For internal use")


class Creation(Asked):
    """The body of a creation."""

    webhook: NewWebhook
    """What is subscribed to."""


class Subject(BaseModel):
    """Which webhook is meant."""

    webhook_id: str = Field(alias="webhookId")


class Paging(BaseModel):
    """Which page is asked for."""

    size: int = Field(MOST_SHOWN, ge=1, le=MOST_SHOWN)
    page: int = Field(1, ge=1)


class Described(Shown):
    """What is known of a webhook."""

    id: Annotated[str, BeforeValidator(written_id)]
    name: str
    description: str
    """What it is for."""
    url: str
    """Where deliveries go."""
    events: list[str]
    """The events that are wanted."""


class CreatedWebhook(Described):
    """A webhook with the token its deliveries are signed with, shown this once."""

    token: str = Field(validation_alias="secret")
    """What its deliveries are signed with, shown this once."""


class Webhook(Described):
    """A webhook."""

    token: Literal["redacted"] = "redacted"  # noqa: S105 stands where a token was
    """Stands where the token was; it is not shown again."""


class Pages(BaseModel):
    """Where a page stands in its list."""

    current: int
    """Which page this is."""
    max: int
    """How many pages there are."""


class Listing(BaseModel):
    """A page of webhooks; `count` counts all."""

    entities: Literal["Webhook"] = "Webhook"
    """What is listed."""
    count: int
    """How many there are in all."""
    per_page: int
    """How many a page has."""
    pages: Pages
    """Where this page stands."""
    elements: list[Webhook]
    """The webhooks of this page."""


class Deleted(BaseModel):
    """What was deleted."""

    id: str
    deleted: Literal[True] = True
    """That it is gone."""


class Problem(BaseModel):
    """A refusal."""

    error: str
    """What went wrong."""


async def list_webhooks(call: Call) -> Listing:
    """List webhooks, the oldest first."""
    size, page = _number(call, "size", MOST_SHOWN, MOST_SHOWN), _number(call, "page", 1, 1_000_000_000)
    order = {"sortBy": "id", "sortDirection": "asc"}
    found = await call.send("GetSubscriptionListQuery", dialect=NAME, pageNumber=page, pageSize=size, **order)
    return Listing(
        count=found["totalCount"],
        per_page=size,
        pages=Pages(current=page, max=max(1, found["totalPages"])),
        elements=[Webhook.model_validate(item) for item in found["items"]],
    )


async def create_webhook(call: Call) -> CreatedWebhook:
    """Create a webhook; the answer alone shows its token."""
    fields = _fields(call.body)
    try:
        message = call.decode("CreateSubscriptionCommand", **fields, dialect=NAME)
    except Invalid as error:
        raise _refusal(error, Invalid) from error
    return CreatedWebhook.model_validate(await _created(call, message))


async def get_webhook(call: Call) -> Webhook:
    """Show a webhook."""
    return Webhook.model_validate(await call.send("GetSubscriptionByIdQuery", id=_subject(call), dialect=NAME))


async def delete_webhook(call: Call) -> Deleted:
    """Delete a webhook."""
    gone = await call.send("DeleteSubscriptionCommand", id=_subject(call), dialect=NAME)
    return Deleted(id=written_id(gone["id"]))


async def list_types(call: Call) -> list[str]:
    """List the events that can be subscribed to."""
    return await event_names(call, NAME)


def problem(error: BpmError, operation: Operation | None, _request: Incoming) -> dict[str, Any]:
    """Say no as Donutwork does."""
    match error:
        case Unauthenticated():
            return {"error": "Invalid token"}
        case Forbidden() if operation is not None:
            return {"error": f"The permission {operation.scope} is required"}
        case NotFound() if operation is not None:
            return {"error": operation.missing}
        case _:
            return {"error": sentence_of(error)}


def _fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a creation as the bus calls them; raises `Malformed` for what is missing or unknown."""
    given: Any = body.get("webhook")
    if not isinstance(given, dict):
        raise Malformed(_wanted("webhook"))
    webhook = cast("dict[str, Any]", given)
    try:
        require_known(webhook, NewWebhook)
    except Invalid as error:
        raise Malformed(*error.errors) from error
    fields = translated(webhook, NewWebhook)
    for name in ("name", "url", "events"):
        if not fields.get(name):
            raise Malformed(_wanted(name))
    if isinstance(fields["events"], str):
        fields["events"] = [fields["events"]]
    return fields


async def _created(call: Call, message: Message[Any]) -> Any:
    """Create a webhook; a URL of the right form that can't be used is told as a missing one."""
    try:
        return await call.execute(message)
    except Invalid as error:
        raise _refusal(error, Malformed) from error


def _refusal(error: Invalid, of_url: type[BpmError]) -> BpmError:
    """Return what Donutwork would say to the first problem: 400, but 422 for events and for a URL's form."""
    name, words = field_and_words(error.errors[0])
    if name is None:
        return Invalid(words)
    if name.startswith("events."):
        return Invalid(NOT_AVAILABLE)
    return of_url(_wanted(name)) if name == "url" else Malformed(_wanted(name))


def _subject(call: Call) -> int:
    id_ = call.query.get("webhookId")
    if not id_:
        raise Malformed(_wanted("webhookId"))
    return number_of(id_)


def _number(call: Call, name: str, default: int, most: int) -> int:
    try:
        return call.number(name, default, most)
    except Invalid as error:
        raise Malformed(_wanted(name)) from error


def _wanted(name: str) -> str:
    return f'A valid "{name}" must be specified.'


DIALECT = Dialect(
    name=NAME,
    operations=(
        Operation("GET", LIST, "GetSubscriptionListQuery", READ, list_webhooks, Listing, query=Paging),
        Operation("POST", LIST, "CreateSubscriptionCommand", WRITE, create_webhook, CreatedWebhook, 201, Creation),
        Operation("GET", TYPES, "GetEventTypeListQuery", READ, list_types, list[str]),
        Operation("GET", ONE, "GetSubscriptionByIdQuery", READ, get_webhook, Webhook, query=Subject, missing=UNKNOWN),
        Operation(
            "DELETE",
            ONE,
            "DeleteSubscriptionCommand",
            WRITE,
            delete_webhook,
            Deleted,
            query=Subject,
            missing=NOT_DELETED,
        ),
    ),
    problem=problem,
    error=Problem,
)
