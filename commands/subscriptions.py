"""Subscriptions: who is sent which events, where, and how."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, Id, Integer, Moment, Page, PagedQuery, Query, View, handles
from bpm.bus.messages import WireModel
from bpm.errors import Conflict, Forbidden, NotFound
from bpm.events import recovery_tables, subscription_tables, tables
from bpm.events.catalogue import BUILT_IN, OWN_BEGINNINGS, TEST_EVENT
from bpm.events.destination import SigningSecret, opened_headers, opened_secrets, sealed_headers, sealed_secrets
from bpm.events.headers import with_stored_values
from bpm.events.publisher import Publisher
from bpm.events.signing import new_secret
from bpm.events.subscription_tables import Subscription
from bpm.security.identifiers import new_id
from bpm.security.net_targets import Targets
from bpm.security.secrets import SecretBox, SecretError
from bpm.settings import Settings
from commands.subscription_checks import check_events, check_room, check_script, check_url, field_problems
from commands.subscription_views import (
    SecretRotationView,
    SubscriptionView,
    SubscriptionWithSecretView,
    shown,
    shown_with_secret,
)
from scripts import Sandbox

MISSING = "No subscription found with the specified ID"
MAX_SECRETS = 3

Pattern = Annotated[str, Field(max_length=200, pattern=r"^(\*|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?)$")]
Patterns = Annotated[list[Pattern], Field(min_length=1, max_length=200)]
Url = Annotated[str, Field(min_length=1, max_length=2_048)]
Name = Annotated[str, Field(max_length=200)]
Description = Annotated[str, Field(max_length=1_000)]
Headers = dict[str, str]
Source = Annotated[str, Field(min_length=1, max_length=1_000)]
Retries = Annotated[Integer, Field(ge=0, le=20)]
Timeout = Annotated[Integer, Field(ge=1, le=120)]
InFlight = Annotated[Integer, Field(ge=1, le=100)]
Rate = Annotated[float, Field(gt=0, le=1_000)]
Dialect = Literal["standard", "mokapen", "plandocket", "donutwork"]
Format = Literal["standard", "cloudevents-structured", "cloudevents-binary"]


class Transform(WireModel):
    """What is sent instead of the usual body: a `template` over the event, or a `script` that returns it."""

    template: Any = None
    script: Annotated[str, Field(min_length=1, max_length=65_536)] | None = None


class CreateSubscriptionCommand(Command[SubscriptionWithSecretView]):
    """Subscribe a URL to events.

    `events` are names, or beginnings of names as in `task.*`. Without `retryCount` a delivery is tried seven times
    over 18 hours. `filter` is a condition on `type`, `data` and `orderingKey`; `orderingKey` an expression: events
    for which it has the same value arrive one behind the other. The `secret`, which signs the deliveries, is shown
    this once.
    """

    permission = "subscriptions:write"
    succeeded = "Subscription created successfully"
    failed = "Validation failed"
    secrets = frozenset({"secret", "headers"})

    url: Url
    events: Patterns
    name: Name = ""
    description: Description = ""
    headers: Headers = Field(default_factory=dict[str, str])
    is_active: bool = True
    retry_count: Retries | None = None
    timeout_seconds: Timeout = 30
    secret: Annotated[str, Field(max_length=200)] | None = None
    filter: Source | None = None
    transform: Transform | None = None
    ordering_key: Source | None = None
    max_in_flight: InFlight | None = None
    rate_per_second: Rate | None = None
    dialect: Dialect = "standard"
    format: Format = "standard"

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """See `field_problems`."""
        return field_problems(fields)


@handles
async def create(
    command: CreateSubscriptionCommand,
    context: EffectContext,
    secrets_box: SecretBox,
    targets: Targets,
    sandbox: Sandbox,
    settings: Settings,
) -> SubscriptionWithSecretView:
    """Look at the receiver, then store the subscription."""
    await check_script(command.transform.script if command.transform else None, sandbox)
    await check_url(command.url, targets, settings)
    return await context.conclude(lambda inside: _create(command, inside, secrets_box, settings))


def _create(
    command: CreateSubscriptionCommand, context: Context, box: SecretBox, settings: Settings
) -> SubscriptionWithSecretView:
    check_events(command.events, context, command.dialect)
    check_room(context, settings)
    values = _columns(command.model_dump(exclude={"secret", "headers", "transform"}), command.transform)
    values |= {
        "organization_id": context.organization_id,
        "headers": sealed_headers(command.headers, box),
        "secrets": sealed_secrets([SigningSecret(command.secret or new_secret())], box),
        "version": 1,
        "is_resuming": False,
        "created_at": context.now(),
    }
    id_ = subscription_tables.insert_subscription(context.tx, values)
    return shown_with_secret(_existing(id_, context), None, box, context.now())


class UpdateSubscriptionCommand(Command[SubscriptionView]):
    """Change a subscription; what is left out stays, null takes it away. `***` as a header's value keeps it.

    Deliveries that wait are sent as the subscription is when their turn comes. With `dialect`, only one that was
    made through that interface is found.
    """

    permission = "subscriptions:write"
    succeeded = "Subscription updated successfully"
    failed = "Update failed"
    secrets = frozenset({"headers"})

    id: Id
    url: Url = ""
    events: Patterns = Field(default_factory=list[str])
    name: Name = ""
    description: Description = ""
    headers: Headers = Field(default_factory=dict[str, str])
    retry_count: Retries | None = None
    timeout_seconds: Timeout = 30
    filter: Source | None = None
    transform: Transform | None = None
    ordering_key: Source | None = None
    max_in_flight: InFlight | None = None
    rate_per_second: Rate | None = None
    format: Format = "standard"
    dialect: Dialect | None = None

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """See `field_problems`."""
        return field_problems(fields)


@handles
async def update(
    command: UpdateSubscriptionCommand,
    context: EffectContext,
    secrets_box: SecretBox,
    targets: Targets,
    sandbox: Sandbox,
    settings: Settings,
) -> SubscriptionView:
    """Look at the receiver when it is another, then store the changes."""
    await check_script(command.transform.script if command.transform else None, sandbox)
    if "url" in command.model_fields_set:
        await check_url(command.url, targets, settings)
    return await context.conclude(lambda inside: _update(command, inside, secrets_box))


def _update(command: UpdateSubscriptionCommand, context: Context, box: SecretBox) -> SubscriptionView:
    row = _existing(command.id, context, command.dialect)
    if "events" in command.model_fields_set:
        check_events(command.events, context, row.dialect)
    given = command.model_dump(exclude_unset=True, exclude={"id", "headers", "transform", "dialect"})
    values = _columns(given, command.transform if "transform" in command.model_fields_set else None)
    if "transform" in command.model_fields_set and command.transform is None:
        values["transform"] = None
    if "headers" in command.model_fields_set:
        headers = with_stored_values(command.headers, opened_headers(row.headers, box))
        values["headers"] = sealed_headers(headers, box)
    values |= {"version": row.version + 1, "updated_at": context.now()}
    subscription_tables.update_subscription(context.tx, row, values)
    return _shown(row, context, box)


class DeletedSubscriptionView(View):
    """What was deleted, and when."""

    id: int
    name: str
    url: str
    deleted_at: Moment


class DeleteSubscriptionCommand(Command[DeletedSubscriptionView]):
    """Delete a subscription; deliveries that wait are cancelled, its log stays.

    With `dialect`, only one that was made through that interface is found.
    """

    permission = "subscriptions:write"
    succeeded = "Subscription deleted successfully"
    failed = "Deletion failed"

    id: Id
    dialect: Dialect | None = None


@handles
def delete(command: DeleteSubscriptionCommand, context: Context) -> DeletedSubscriptionView:
    """Let no event find it any more."""
    row = _existing(command.id, context, command.dialect)
    now = context.now()
    subscription_tables.delete_subscription(context.tx, command.id, now)
    recovery_tables.cancel_paused(context.tx, command.id, now)
    return DeletedSubscriptionView(id=command.id, name=row.name, url=row.url, deleted_at=now)


class ActivateSubscriptionCommand(Command[SubscriptionView]):
    """Switch a subscription on; what was kept for it meanwhile is delivered, the oldest first."""

    permission = "subscriptions:write"
    succeeded = "Subscription activated successfully"
    failed = "Activation failed"

    id: Id


@handles
def activate(command: ActivateSubscriptionCommand, context: Context, secrets_box: SecretBox) -> SubscriptionView:
    """Switch it on, close its breaker, and begin with what was kept."""
    row = _existing(command.id, context)
    if row.is_active:
        raise Conflict("Subscription is already active")
    values = {"is_active": True, "is_resuming": True, "disabled_reason": None, "updated_at": context.now()}
    subscription_tables.update_subscription(context.tx, row, values)
    subscription_tables.forgive(context.tx, command.id)
    context.call("ResumeDeliveriesCommand", {"subscriptionId": command.id})
    return _shown(row, context, secrets_box)


class DeactivateSubscriptionCommand(Command[SubscriptionView]):
    """Switch a subscription off; its events are kept for the day it is switched on again."""

    permission = "subscriptions:write"
    succeeded = "Subscription deactivated successfully"
    failed = "Deactivation failed"

    id: Id


@handles
def deactivate(command: DeactivateSubscriptionCommand, context: Context, secrets_box: SecretBox) -> SubscriptionView:
    """Switch it off; what waits for its turn is put aside when that comes."""
    row = _existing(command.id, context)
    if not row.is_active:
        raise Conflict("Subscription is already inactive")
    values = {"is_active": False, "is_resuming": False, "updated_at": context.now()}
    subscription_tables.update_subscription(context.tx, row, values)
    return _shown(row, context, secrets_box)


class RotateSubscriptionSecretCommand(Command[SecretRotationView]):
    """Give a subscription a new secret, shown this once; for `overlapHours` the former one is signed with, too."""

    permission = "subscriptions:write"
    succeeded = "Secret rotated successfully"
    failed = "Rotation failed"
    secrets = frozenset({"secret"})

    id: Id
    overlap_hours: Annotated[float, Field(ge=0, le=720)] = 24
    secret: Annotated[str, Field(max_length=200)] | None = None

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """A secret that is brought along must be one of Standard Webhooks."""
        return field_problems({"secret": fields.get("secret")})


@handles
def rotate(command: RotateSubscriptionSecretCommand, context: Context, secrets_box: SecretBox) -> SecretRotationView:
    """Put the new secret in front."""
    row = _existing(command.id, context)
    now = context.now()
    ends = now + timedelta(hours=command.overlap_hours)
    former = [s for s in _opened(row, secrets_box) if s.expires_at is None or s.expires_at > now]
    kept = [SigningSecret(s.secret, min(s.expires_at or ends, ends)) for s in former] if ends > now else []
    fresh = SigningSecret(command.secret or new_secret())
    sealed = sealed_secrets([fresh, *kept][:MAX_SECRETS], secrets_box)
    values = {"secrets": sealed, "version": row.version + 1, "updated_at": now}
    subscription_tables.update_subscription(context.tx, row, values)
    return SecretRotationView(id=command.id, secret=fresh.secret, previous_expires_at=ends if kept else None)


class TestEventView(View):
    """The delivery of a test event; GetDeliveryByIdQuery tells what became of it."""

    delivery_id: str
    event_id: str
    event: str


class SendTestEventCommand(Command[TestEventView]):
    """Send an event to one subscription alone: `subscription.test`, or an example of another type."""

    permission = "subscriptions:write"
    succeeded = "Test event sent"
    failed = "The test event could not be sent"

    id: Id
    event: Annotated[str, Field(min_length=1, max_length=200)] | None = None


@handles
def send_test(command: SendTestEventCommand, context: Context, publisher: Publisher) -> TestEventView:
    """Store the event without looking for other subscribers, and ask for its delivery."""
    row = _existing(command.id, context)
    if not row.is_active:
        raise Conflict("The subscription is inactive; activate it first")
    name = command.event or TEST_EVENT
    event = {
        "organization_id": context.organization_id,
        "id": new_id(),
        "name": name,
        "data": _example(name, context) if command.event else {"subscriptionId": row.id, "name": row.name},
        "idempotency_key": None,
        "ordering_key": None,
        "correlation_id": context.envelope.root,
        "created_at": context.now(),
    }
    tables.append_event(context.tx, event)
    subscription_tables.forgive(context.tx, command.id)
    delivery_id = publisher.deliver(context.tx, row, event, context.now(), is_test=True)
    return TestEventView(delivery_id=delivery_id or "", event_id=str(event["id"]), event=name)


class GetSubscriptionListQuery(PagedQuery[Page[SubscriptionView]]):
    """List subscriptions; `event` is the name of an event that they want."""

    permission = "subscriptions:read"
    succeeded = "Subscriptions retrieved successfully"

    is_active: bool | None = None
    event: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    dialect: Dialect | None = None


@handles
def list_subscriptions(
    query: GetSubscriptionListQuery, context: Context, secrets_box: SecretBox
) -> Page[SubscriptionView]:
    """Return one page, the newest first."""
    statement = subscription_tables.select_subscriptions(
        is_active=query.is_active, event=query.event, dialect=query.dialect
    )
    columns = {"createdAt": "created_at", "id": "id", "name": "name", "url": "url"}
    words = ("name", "description", "url")
    page = query.page(context, statement, Subscription, lambda row: row, search=words, sortable=columns)
    doing = subscription_tables.health_of(context.tx, context.organization_id, [row.id for row in page.items])
    now = context.now()
    items = [shown(row, doing.get(row.id), secrets_box, now) for row in page.items]
    return Page[SubscriptionView].of(items, page.total_count, page.page_number, page.page_size)


class GetSubscriptionByIdQuery(Query[SubscriptionView]):
    """Return one subscription, without its secret; with `dialect`, only one that was made through that interface."""

    permission = "subscriptions:read"
    succeeded = "Subscription retrieved successfully"
    failed = "Subscription not found"

    id: Id
    dialect: Dialect | None = None


@handles
def get(query: GetSubscriptionByIdQuery, context: Context, secrets_box: SecretBox) -> SubscriptionView:
    """Look it up."""
    return _shown(_existing(query.id, context, query.dialect), context, secrets_box)


class GetSubscriptionSecretQuery(Query[SubscriptionWithSecretView]):
    """Return one subscription with its secret, for the dialect whose interface shows it again (`plandocket`)."""

    permission = "subscriptions:write"
    succeeded = "Subscription retrieved successfully"
    failed = "Subscription not found"

    id: Id
    dialect: Dialect | None = None


@handles
def get_secret(
    query: GetSubscriptionSecretQuery, context: Context, secrets_box: SecretBox
) -> SubscriptionWithSecretView:
    """Look it up; other secrets are shown when they are made and never again."""
    row = _existing(query.id, context, query.dialect)
    if row.dialect != "plandocket":
        raise Forbidden("the secret is shown when it is made and never again; rotate it to get a new one")
    health = subscription_tables.health(context.tx, context.organization_id, query.id)
    try:
        return shown_with_secret(row, health, secrets_box, context.now())
    except SecretError as error:
        raise Conflict(f"secret: {error}") from error


def _existing(id_: int, context: Context, dialect: str | None = None) -> Subscription:
    """Return a subscription of the organisation's, if one is given only of that dialect; raises `NotFound`."""
    row = subscription_tables.subscription(context.tx, context.organization_id, id_)
    if row is None or dialect not in (None, row.dialect):
        raise NotFound(MISSING)
    return row


def _shown(row: Subscription, context: Context, box: SecretBox) -> SubscriptionView:
    health = subscription_tables.health(context.tx, context.organization_id, row.id or 0)
    return shown(row, health, box, context.now())


def _columns(given: dict[str, Any], transform: Transform | None) -> dict[str, Any]:
    if transform is not None:
        given["transform"] = transform.model_dump(exclude_unset=True)
    return given


def _opened(row: Subscription, box: SecretBox) -> list[SigningSecret]:
    """Return the stored secrets; those that can't be opened any more are lost, and a new one is the remedy."""
    try:
        return opened_secrets(row.secrets, box)
    except SecretError:
        return []


def _example(name: str, context: Context) -> Any:
    """Return the registered example of a type, or the built-in one; the product's own events have none but that."""
    own = tables.event_type(context.tx, context.organization_id, name)
    if own is not None and own.example is not None and not name.startswith(OWN_BEGINNINGS):
        return own.example
    return dict(BUILT_IN[name].example) if name in BUILT_IN else {}
