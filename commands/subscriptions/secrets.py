"""The secrets that deliveries are signed with: exchanged without a gap, and shown again to one interface alone."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Command, Context, Id, Query, handles
from bpm.errors import Conflict, Forbidden
from bpm.events import health_tables, subscription_tables
from bpm.events.sealing import SigningSecret, seal_secrets
from bpm.events.signature_style import read_style
from bpm.events.signing import new_key, verifying_key
from bpm.security.secrets import SecretBox, SecretError
from commands.subscriptions.access import get_or_404
from commands.subscriptions.checks import check_style, field_problems
from commands.subscriptions.fields import Dialect
from commands.subscriptions.keys import stored_secrets
from commands.subscriptions.views import SecretRotationView, SubscriptionWithSecretView, to_view_with_secret

MAX_SECRETS = 3


class RotateSubscriptionSecretCommand(Command[SecretRotationView]):
    """Give a subscription a new secret, shown this once; for `overlapHours` the former one is signed with, too.

    Where a signature has room for one alone, the newest secret signs at once: `signedWith` tells. Of a private key the
    public half is shown.
    """

    permission = "subscriptions:write"
    succeeded = "Secret rotated successfully"
    failed = "Rotation failed"
    secrets = frozenset({"secret"})

    id: Id
    overlap_hours: Annotated[float, Field(ge=0, le=720)] = 24
    """How long the former secret counts as well."""
    secret: Annotated[str, Field(max_length=200)] | None = None
    """The new secret; generated, if left out."""

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """A secret that is brought along must be one of Standard Webhooks."""
        return field_problems({"secret": fields.get("secret")})


@handles
def rotate(command: RotateSubscriptionSecretCommand, context: Context, secrets_box: SecretBox) -> SecretRotationView:
    """Put the new secret in front."""
    row = get_or_404(command.id, context)
    style = read_style(row.signature)
    check_style(style, row.dialect, command.secret)
    now = context.now()
    ends = now + timedelta(hours=command.overlap_hours)
    former = [s for s in stored_secrets(row, secrets_box) if s.expires_at is None or s.expires_at > now]
    kept = [SigningSecret(s.secret, min(s.expires_at or ends, ends)) for s in former] if ends > now else []
    fresh = SigningSecret(command.secret or new_key(has_key_pair=style.has_key_pair))
    sealed = seal_secrets([fresh, *kept][:MAX_SECRETS], secrets_box)
    values = {"secrets": sealed, "version": row.version + 1, "updated_at": now}
    subscription_tables.update_subscription(context.tx, row, values)
    return SecretRotationView(
        id=command.id,
        secret=verifying_key(fresh.secret),
        previous_expires_at=ends if kept else None,
        signed_with="each" if style.signs_with_each else "newest",
    )


class GetSubscriptionSecretQuery(Query[SubscriptionWithSecretView]):
    """Return one subscription with its secret, for the dialect whose interface shows it again (`plandocket`)."""

    permission = "subscriptions:write"
    succeeded = "Subscription retrieved successfully"
    failed = "Subscription not found"

    id: Id
    dialect: Dialect | None = None


@handles
def get_secret(query: GetSubscriptionSecretQuery, context: Context) -> SubscriptionWithSecretView:
    """Look it up; other secrets are shown when they are made and never again."""
    row = get_or_404(query.id, context, query.dialect)
    if row.dialect != "plandocket":
        raise Forbidden("the secret is shown when it is made and never again; rotate it to get a new one")
    health = health_tables.health(context.tx, context.organization_id, query.id)
    try:
        return to_view_with_secret(row, health, context)
    except SecretError as error:
        raise Conflict(f"secret: {error}") from error
