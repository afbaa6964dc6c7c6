"""Make a draft live, or what a configuration was at an earlier revision."""

from typing import Annotated

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, Id, Integer, Registry, handles
from bpm.errors import Conflict, Forbidden, NotFound
from bpm.security.permissions import Authority, Permission, acting
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from commands.webhooks.changes import conclude_live, get_or_404, insert, replace
from commands.webhooks.checks import check_code, commands_of
from commands.webhooks.drafts import CHANGED, get_draft_or_404
from commands.webhooks.origin import ChangeOrigin, why_not_publisher
from commands.webhooks.stored_fields import fields_of_draft, fields_of_revision
from commands.webhooks.views import WebHookConfigView, to_view
from router.config import WebHookFields
from router.route_table import RouteTable
from router.tables import drafts, revisions
from router.tables.configs import WebhookConfig
from router.tables.drafts import WebhookDraft
from scripts import Sandbox

READ: Permission = "webhooks:read"


class PublishWebHookDraftCommand(Command[WebHookConfigView]):
    """Make a draft live, as it is at the `revision` that you have looked at; the draft is gone then.

    It needs `webhooks:read` as well. It is refused when the draft or its configuration was changed meanwhile. The
    configuration acts for whoever wrote the draft and for you: at each message both are asked. Where the organisation
    wants a second pair of eyes (`ruleReview`), nobody publishes what they wrote.
    """

    permission = "webhooks:write"
    succeeded = "Draft published"
    failed = "Publishing failed"

    id: Id
    revision: Integer
    """The draft's own revision that you have looked at."""


@handles
async def publish(
    command: PublishWebHookDraftCommand,
    context: EffectContext,
    registry: Registry,
    sandbox: Sandbox,
    secrets_box: SecretBox,
    routes: RouteTable,
    settings: Settings,
) -> WebHookConfigView:
    """Check everything anew, as whoever publishes it; store it, and let this process's routes know."""
    draft = await context.read(lambda inside: _draft(command, inside))
    fields = fields_of_draft(draft, registry, secrets_box)
    findings = await check_code(fields, sandbox, context.organization_id)

    def store(inside: Context) -> WebHookConfigView:
        row = _draft(command, inside)
        _require_authors(row, fields, inside, registry)
        origin = ChangeOrigin.of(row)
        if row.config_id is None:
            live = insert(fields, row.key, findings, inside, registry, secrets_box, settings, origin)
        else:
            live = _base_of(row, inside)
            replace(live, fields, findings, inside, registry, secrets_box, settings, origin)
        if not drafts.delete_draft(inside.tx, row):
            raise Conflict(CHANGED)
        return to_view(live, settings.base_url, inside, findings.warnings)

    return await conclude_live(context, routes, store)


class RestoreWebHookConfigCommand(Command[WebHookConfigView]):
    """Make a configuration what it was at an earlier revision, with the secrets that it has now, as a new revision.

    It needs `webhooks:read` as well, and acts for you from then on. Where the organisation wants a second pair of eyes
    (`ruleReview`), keep the earlier fields as a draft instead.
    """

    permission = "webhooks:write"
    succeeded = "Webhook configuration restored"
    failed = "Restoring failed"

    id: Id
    revision: Integer
    """The revision that it becomes again."""
    present: Integer
    """The revision that is live, which you have looked at."""
    comment: Annotated[str, Field(max_length=1_000)] = ""
    """What the history is told."""


@handles
async def restore(
    command: RestoreWebHookConfigCommand,
    context: EffectContext,
    registry: Registry,
    sandbox: Sandbox,
    secrets_box: SecretBox,
    routes: RouteTable,
    settings: Settings,
) -> WebHookConfigView:
    """Check everything anew, store it, and let this process's routes know."""
    fields = await context.read(lambda inside: _fields_at(command, inside, registry, secrets_box))
    findings = await check_code(fields, sandbox, context.organization_id)

    def store(inside: Context) -> WebHookConfigView:
        row = get_or_404(command.id, inside)
        if row.revision != command.present:
            raise Conflict(f"present: is {row.revision} by now, not {command.present}; read the configuration again")
        origin = ChangeOrigin(command.comment or f"as at revision {command.revision}")
        replace(row, fields, findings, inside, registry, secrets_box, settings, origin)
        return to_view(row, settings.base_url, inside, findings.warnings)

    return await conclude_live(context, routes, store)


def _fields_at(
    command: RestoreWebHookConfigCommand, context: Context, registry: Registry, box: SecretBox
) -> WebHookFields:
    """Return what a configuration was at a revision; raises `NotFound`."""
    context.require(context.principal, READ, "Going back to an earlier revision")
    get_or_404(command.id, context)
    row = revisions.find_revision(context.tx, context.organization_id, command.id, command.revision)
    if row is None:
        raise NotFound(f"revision: the configuration has no revision {command.revision}")
    return fields_of_revision(row, registry, box)


def _draft(command: PublishWebHookDraftCommand, context: Context) -> WebhookDraft:
    """Return the draft if the sender may publish it; raises `NotFound`, `Forbidden` and `Conflict`."""
    context.require(context.principal, READ, "Publishing a draft")
    row = get_draft_or_404(command.id, context)
    why_not = why_not_publisher(row.authors, context)
    if why_not is not None:
        raise Forbidden(why_not)
    if row.revision != command.revision:
        raise Conflict(CHANGED)
    return row


def _base_of(draft: WebhookDraft, context: Context) -> WebhookConfig:
    """Return the configuration that a draft changes; raises `Conflict` when it is not what the draft starts from."""
    assert draft.config_id is not None
    row = get_or_404(draft.config_id, context)
    if row.revision != draft.base_revision:
        raise Conflict(
            f"the configuration was changed since: its revision is {row.revision}, and the draft starts from "
            f"{draft.base_revision}; compare them and save the draft again"
        )
    return row


def _require_authors(draft: WebhookDraft, fields: WebHookFields, context: Context, registry: Registry) -> None:
    """Raise `Forbidden` when the draft's authors may not do by now what it would do."""
    authority = Authority.from_json(draft.authority)
    author = acting("rule", f"draft:{draft.id}", draft.author_name, context.organization_id, authority)
    for place, name, _ in commands_of(fields):
        permission = registry.find(name).message_type.permission if registry.knows(name) else None
        if permission is not None:
            context.require(author, permission, f"{place}: {name}")
