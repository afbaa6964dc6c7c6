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
    jwk: dict[str, str]
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
    events: list[str]
    headers: dict[str, str]
    is_active: bool
    disabled_reason: str | None
    retry_count: int | None
    timeout_seconds: int
    filter: str | None
    transform: dict[str, Any] | None
    ordering_key: str | None
    max_in_flight: int | None
    rate_per_second: float | None
    dialect: str
    format: str
    signature: dict[str, Any] | None
    public_keys: list[PublicKeyView]
    last_triggered_at: Moment | None
    last_success_at: Moment | None
    last_failure_at: Moment | None
    failure_count: int
    breaker: Breaker
    open_until: Moment | None
    created_at: Moment
    updated_at: Moment | None


class SubscriptionWithSecretView(SubscriptionView):
    """A subscription with the secret, or the public key, that verifies its deliveries."""

    secret: str


class SecretRotationView(View):
    """The new secret, shown this once, and until when the former one counts too.

    `signedWith` says whether a delivery carries a signature by `each` of them, or by the `newest`.
    """

    id: int
    secret: str
    previous_expires_at: Moment | None
    signed_with: Literal["each", "newest"]


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
