"""Change subscriptions."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, Id, handles
from bpm.errors import Invalid
from bpm.events import audit_tables, subscription_tables
from bpm.events.catalogue import EventCatalogue
from bpm.events.sealing import SigningSecret, has_secrets, open_url, seal_secrets, url_columns
from bpm.events.signature_style import SignatureStyle, read_style
from bpm.events.signing import new_key
from bpm.events.subscription_tables import Subscription, patterns_of
from bpm.security.net_targets import Targets, origin
from bpm.security.redaction import REDACTED, redacted_url
from bpm.security.sealing import NOT_STORED, placeholders_in
from bpm.security.secret_names import SOURCE_NAMES
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from commands.subscriptions.access import current_view, get_or_404
from commands.subscriptions.checks import (
    audit_authority,
    check_events,
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
from commands.subscriptions.keys import has_key_pair, has_text
from commands.subscriptions.views import SubscriptionView
from scripts import Sandbox


class UpdateSubscriptionCommand(Command[SubscriptionView]):
    """Change a subscription; what is left out stays, null takes it away. `***` as a header's value keeps it.

    Headers belong to the receiver they were given for: with a URL of another scheme, host or port they must be given
    again. A `signature` that needs another kind of key has one made: `publicKeys` shows it, a shared secret is shown
    when it is rotated. Deliveries that wait are sent as the subscription is when their turn comes. With `dialect`, only
    one that was made through that interface is found.
    """

    permission = "subscriptions:write"
    succeeded = "Subscription updated successfully"
    failed = "Update failed"
    secrets = frozenset({"headers"})
    sources = SOURCE_NAMES

    id: Id
    url: Url = ""
    """Where deliveries go."""
    events: Patterns = Field(default_factory=list[str])
    name: Name = ""
    description: Description = ""
    headers: Headers = Field(default_factory=dict[str, str])
    """Headers that are sent with each delivery."""
    retry_count: Retries | None = None
    timeout_seconds: Timeout = 30
    filter: Source | None = None
    """A condition on `type`, `data` and `orderingKey`."""
    transform: Transform | None = None
    """What is sent instead of the usual body."""
    ordering_key: Source | None = None
    """An expression: events for which it is the same arrive one behind the other."""
    max_in_flight: InFlight | None = None
    rate_per_second: Rate | None = None
    format: Format = "standard"
    """How the body is written."""
    signature: SignatureStyle | None = None
    """How deliveries are signed."""
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
    catalogue: EventCatalogue,
) -> SubscriptionView:
    """Look at the receiver when it is another, then store the changes."""
    await check_script(command.transform.script if command.transform else None, sandbox, context.principal)
    if "url" in command.model_fields_set:
        url = await context.read(lambda inside: _url_given(command, inside, secrets_box))
        await check_url(url, targets, settings, context.organization_id)
    return await context.conclude(lambda inside: _update(command, inside, secrets_box, catalogue))


def _update(
    command: UpdateSubscriptionCommand, context: Context, box: SecretBox, catalogue: EventCatalogue
) -> SubscriptionView:
    row = get_or_404(command.id, context, command.dialect)
    given = command.model_fields_set
    if "events" in given:
        check_events(command.events, context, catalogue, row.dialect)
    values = command.model_dump(
        exclude_unset=True, exclude={"id", "url", "headers", "transform", "signature", "dialect"}
    )
    # whoever changes what is sent, or where, answers for it from then on
    values["audit_authority"] = audit_authority(command.events if "events" in given else patterns_of(row), context)
    if values["audit_authority"] is not None and row.audit_authority is None:
        audit_tables.begin_at_newest(context.tx)
    if "transform" in given:
        values |= transform_columns(command.transform, row.transform, context)
    if "url" in given and command.url != redacted_url(row.url):
        values |= url_columns(command.url, box)
        if origin(command.url) != origin(row.url):
            _refuse_headers_of_another(command, row)
            _refuse_transform_of_another(command, row, box)
    if "headers" in given:
        values |= header_columns(command.headers, row.headers, box)
    if "signature" in given:
        values |= _signature(command, row, box)
    values |= {"version": row.version + 1, "updated_at": context.now()}
    subscription_tables.update_subscription(context.tx, row, values)
    return current_view(row, context)


def _refuse_headers_of_another(command: UpdateSubscriptionCommand, row: Subscription) -> None:
    """Stored headers are credentials of the receiver they were given for; another one may not be sent them."""
    if row.headers is not None and ("headers" not in command.model_fields_set or REDACTED in command.headers.values()):
        raise Invalid(
            "headers: the stored values belong to the former receiver and are not sent to another scheme, host or "
            "port; give every header again with its value, or {} to send none"
        )


def _refuse_transform_of_another(command: UpdateSubscriptionCommand, row: Subscription, box: SecretBox) -> None:
    """Secrets in a transform are the receiver's, too."""
    transform = command.transform
    is_given = "transform" in command.model_fields_set
    has_stars = transform is not None and any(placeholders_in(transform.template, ""))
    if has_secrets(row.transform, box) and (not is_given or has_stars):
        raise Invalid(
            "transform: the stored secrets in it belong to the former receiver and are not sent to another scheme, "
            "host or port; give it again with its secrets, or null to send the usual body"
        )


def _url_given(command: UpdateSubscriptionCommand, context: Context, box: SecretBox) -> str:
    """Return the whole URL that is meant: the stored one where it is given as it is shown."""
    row = get_or_404(command.id, context, command.dialect)
    if command.url == redacted_url(row.url):
        return open_url(row.url, row.sealed_url, box)
    if REDACTED in command.url:
        raise Invalid(f"url: {REDACTED} {NOT_STORED}, or leave the URL as it is shown")
    return command.url


def _signature(command: UpdateSubscriptionCommand, row: Subscription, box: SecretBox) -> dict[str, Any]:
    """Return the columns of another way to sign, with a new key where it is one of another kind; raises `Invalid`."""
    style = command.signature or read_style(None)
    check_style(style, row.dialect)
    columns: dict[str, Any] = {"signature": command.signature.to_stored() if command.signature else None}
    is_unfit = has_text(row, box) and not style.takes_text
    if is_unfit or style.has_key_pair != has_key_pair(row, box):
        columns["secrets"] = seal_secrets([SigningSecret(new_key(has_key_pair=style.has_key_pair))], box)
    return columns
