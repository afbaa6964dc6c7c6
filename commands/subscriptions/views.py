"""Subscriptions as answers show them."""

from datetime import datetime
from typing import Any, Literal

from bpm.bus import Context, Moment, View
from bpm.events.headers import redacted_headers
from bpm.events.public_keys import key_pairs_of
from bpm.events.sealing import open_headers, open_secrets, transform_for_view
from bpm.events.signing import verifying_key
from bpm.events.subscription_tables import Subscription, SubscriptionHealth
from bpm.security.permissions import WRITE_CODE
from bpm.security.redaction import redacted_url
from bpm.security.secrets import SecretBox, SecretError
from bpm.signatures.key_pairs import jwk_of, public_key_of

Breaker = Literal["closed", "open", "half-open"]


class PublicKeyView(View):
    """The public half of a key that deliveries are signed with: as Standard Webhooks writes it, and as JWK."""

    key: str
    """The key as Standard Webhooks writes it."""
    jwk: dict[str, str]
    """The key as JWK."""
    expires_at: Moment | None


class SubscriptionView(View):
    """A subscription and how its receiver is doing.

    `failureCount` counts the failures since the last success. While `breaker` is open nothing is sent, until
    `openUntil`. `disabledReason` says why the product switched it off. `publicKeys` verify what private keys sign, the
    newest first.
    """

    id: int
    organization_id: int
    name: str
    description: str
    url: str
    """Where deliveries go."""
    events: list[str]
    headers: dict[str, str]
    """Headers that are sent with each delivery, their values hidden."""
    is_active: bool
    disabled_reason: str | None
    """Why the product switched it off; null if it did not."""
    retry_count: int | None
    timeout_seconds: int
    filter: str | None
    """A condition on `type`, `data` and `orderingKey`."""
    transform: dict[str, Any] | None
    """What is sent instead of the usual body."""
    ordering_key: str | None
    """An expression: events for which it is the same arrive one behind the other."""
    max_in_flight: int | None
    rate_per_second: float | None
    dialect: str
    format: str
    """How the body is written."""
    signature: dict[str, Any] | None
    """How deliveries are signed; null for Standard Webhooks."""
    public_keys: list[PublicKeyView]
    """What verifies deliveries that private keys sign, the newest first."""
    last_triggered_at: Moment | None
    last_success_at: Moment | None
    last_failure_at: Moment | None
    failure_count: int
    breaker: Breaker
    """Whether deliveries go out, or the receiver is left in peace."""
    open_until: Moment | None
    """Until when nothing is sent."""
    created_at: Moment
    updated_at: Moment | None


class SubscriptionWithSecretView(SubscriptionView):
    """A subscription with the secret, or the public key, that verifies its deliveries."""

    secret: str
    """The secret, or the public key, that verifies deliveries."""


class SecretRotationView(View):
    """The new secret, shown this once, and until when the former one counts too.

    `signedWith` says whether a delivery carries a signature by `each` of them, or by the `newest`.
    """

    id: int
    secret: str
    """The new secret, shown this once."""
    previous_expires_at: Moment | None
    """Until when the former one counts too."""
    signed_with: Literal["each", "newest"]
    """Whether a delivery carries a signature by each of them."""


def to_view(row: Subscription, health: SubscriptionHealth | None, context: Context) -> SubscriptionView:
    """Show a subscription without its secrets."""
    return SubscriptionView.model_validate(_fields(row, health, context))


def to_view_with_secret(
    row: Subscription, health: SubscriptionHealth | None, context: Context
) -> SubscriptionWithSecretView:
    """Show a subscription with its newest secret; raises `SecretError` when that can't be opened."""
    secret = verifying_key(open_secrets(row.secrets, context.box)[0].secret)
    return SubscriptionWithSecretView.model_validate({**_fields(row, health, context), "secret": secret})


def _fields(row: Subscription, health: SubscriptionHealth | None, context: Context) -> dict[str, Any]:
    doing = health or SubscriptionHealth(subscription_id=row.id or 0)
    may_write = context.principal.allows(WRITE_CODE)
    return {
        **row.model_dump(exclude={"headers", "secrets"}),
        **doing.model_dump(include={"last_triggered_at", "last_success_at", "last_failure_at", "failure_count"}),
        "url": redacted_url(row.url),
        "headers": _headers(row, context.box),
        "transform": transform_for_view(row.transform, context.box, with_secrets=may_write),
        "public_keys": _public_keys(row, context),
        "breaker": _breaker(doing.open_until, context.now()),
        "open_until": doing.open_until,
    }


def _public_keys(row: Subscription, context: Context) -> list[PublicKeyView]:
    pairs = key_pairs_of(row.secrets, context.box, context.now()) if row.signature else []
    return [PublicKeyView(key=public_key_of(s.secret), jwk=jwk_of(s.secret), expires_at=s.expires_at) for s in pairs]


def _headers(row: Subscription, box: SecretBox) -> dict[str, str]:
    try:
        return redacted_headers(open_headers(row.headers, box))
    except SecretError:
        return {}


def _breaker(open_until: datetime | None, now: datetime) -> Breaker:
    if open_until is None:
        return "closed"
    return "open" if open_until > now else "half-open"
