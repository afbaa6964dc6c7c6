"""Create subscriptions."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, handles
from bpm.events import audit_tables, subscription_tables
from bpm.events.catalogue import EventCatalogue
from bpm.events.sealing import SigningSecret, seal_secrets, url_columns
from bpm.events.signature_style import SignatureStyle, read_style
from bpm.events.signing import new_key
from bpm.security.net_targets import Targets
from bpm.security.secret_names import SOURCE_NAMES
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from commands.subscriptions.access import get_or_404
from commands.subscriptions.checks import (
    audit_authority,
    check_events,
    check_room,
    check_script,
    check_style,
    check_url,
    field_problems,
)
from commands.subscriptions.columns import header_columns, transform_columns
from commands.subscriptions.fields import (
    Description,
    Dialect,
    Format,
    Headers,
    InFlight,
    Name,
    Patterns,
    Rate,
    Retries,
    Source,
    Timeout,
    Transform,
    Url,
)
from commands.subscriptions.views import SubscriptionWithSecretView, to_view_with_secret
from scripts import Sandbox


class CreateSubscriptionCommand(Command[SubscriptionWithSecretView]):
    """Subscribe a URL to events.

    `events` are names, or beginnings of names as in `task.*`. Without `retryCount` a delivery is tried seven times
    over 18 hours. `filter` is a condition on `type`, `data` and `orderingKey`; `orderingKey` an expression: events
    for which it has the same value arrive one behind the other. `signature` says how deliveries are signed, Standard
    Webhooks without it. The `secret` that verifies them is shown this once; where a private key signs, which never
    leaves the server, it is the public one.
    """

    permission = "subscriptions:write"
    succeeded = "Subscription created successfully"
    failed = "Validation failed"
    secrets = frozenset({"secret", "headers"})
    sources = SOURCE_NAMES
    sample = {"url": "https://example.com/hooks", "events": ["order.*"]}

    url: Url
    """Where deliveries go."""
    events: Patterns
    name: Name = ""
    description: Description = ""
    headers: Headers = Field(default_factory=dict[str, str])
    """Headers that are sent with each delivery."""
    is_active: bool = True
    retry_count: Retries | None = None
    timeout_seconds: Timeout = 30
    secret: Annotated[str, Field(max_length=200)] | None = None
    """What deliveries are signed with; generated, if left out."""
    signature: SignatureStyle | None = None
    """How deliveries are signed."""
    filter: Source | None = None
    """A condition on `type`, `data` and `orderingKey`."""
    transform: Transform | None = None
    """What is sent instead of the usual body."""
    ordering_key: Source | None = None
    """An expression: events for which it is the same arrive one behind the other."""
    max_in_flight: InFlight | None = None
    rate_per_second: Rate | None = None
    dialect: Dialect = "standard"
    format: Format = "standard"
    """How the body is written."""

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
    catalogue: EventCatalogue,
) -> SubscriptionWithSecretView:
    """Look at the receiver, then store the subscription."""
    await check_script(command.transform.script if command.transform else None, sandbox, context.principal)
    await check_url(command.url, targets, settings, context.organization_id)
    return await context.conclude(lambda inside: _create(command, inside, secrets_box, settings, catalogue))


def _create(
    command: CreateSubscriptionCommand, context: Context, box: SecretBox, settings: Settings, catalogue: EventCatalogue
) -> SubscriptionWithSecretView:
    check_events(command.events, context, catalogue, command.dialect)
    check_room(context, settings)
    style = command.signature or read_style(None)
    check_style(style, command.dialect, command.secret)
    values = command.model_dump(exclude={"secret", "url", "headers", "transform", "signature"})
    values |= {
        "organization_id": context.organization_id,
        **url_columns(command.url, box),
        **transform_columns(command.transform, None, context),
        "audit_authority": audit_authority(command.events, context),
        **header_columns(command.headers, None, box),
        "signature": command.signature.to_stored() if command.signature else None,
        "secrets": seal_secrets([SigningSecret(command.secret or new_key(has_key_pair=style.has_key_pair))], box),
        "version": 1,
        "is_resuming": False,
        "created_at": context.now(),
    }
    if values["audit_authority"] is not None:
        audit_tables.begin_at_newest(context.tx)
    id_ = subscription_tables.insert_subscription(context.tx, values)
    return to_view_with_secret(get_or_404(id_, context), None, context)
