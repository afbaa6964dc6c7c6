"""Write drafts of webhook configurations, look them up, and discard them; nothing of them is live."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from bpm.bus import Command, Context, EffectContext, Id, Integer, Page, PagedQuery, Query, Registry, handles
from bpm.errors import Conflict, Invalid, NotFound
from bpm.security.permissions import Authority, Principal
from bpm.security.secret_names import SOURCE_NAMES
from bpm.security.secrets import SecretBox
from bpm.store.named_lock import take_named_lock
from commands.webhooks.addresses import check_address, check_key
from commands.webhooks.changes import authority_from, get_or_404
from commands.webhooks.checks import Findings, check_answers, check_code, check_references, check_secrets
from commands.webhooks.configs import ORDERS, webhook_key
from commands.webhooks.draft_views import DiscardedWebHookDraftView, WebHookDraftView, to_draft_view
from router.config import WebHookFields, definition_of
from router.config_demands import demands
from router.config_secrets import seal_definition, with_stored_secrets
from router.tables import drafts
from router.tables.configs import WebhookConfig
from router.tables.drafts import WebhookDraft
from scripts import Sandbox

MOST = 200
"""How many drafts an organisation may have."""
NO_DRAFT = "No draft found with the specified ID"
CHANGED = "the draft was changed meanwhile; look at it again"

Comment = Annotated[str, Field(max_length=1_000)]


class CreateWebHookDraftCommand(Command[WebHookDraftView], WebHookFields):
    """Keep a draft: of changes to the configuration `configId`, or of a new one with `key`.

    Nothing of it is live until PublishWebHookDraftCommand. What is wrong with it is told in `problems`, and keeps it
    only from being published. A secret sent as `***` is that of the configuration when the draft is published.
    """

    permission = "webhooks:write"
    succeeded = "Draft saved"
    failed = "Validation failed"
    sources = SOURCE_NAMES
    sample = {"key": "orders", **ORDERS, "comment": "Orders of the new shop"}

    config_id: Id | None = None
    """The configuration that it changes."""
    key: Annotated[str, AfterValidator(webhook_key)] | None = None
    """The key of a new configuration."""
    revision: Integer | None = None
    """The configuration's revision that the draft starts from; the present one, if left out."""
    comment: Comment = ""
    """What reviewers and the history are told."""

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """It changes one configuration, or is a new one; see `router.config_demands.demands`."""
        if (fields.get("configId") is None) == (fields.get("key") is None):
            yield "configId: either it or key is required"
        if fields.get("configId") is None and fields.get("revision") is not None:
            yield "revision: can't be set without configId"
        yield from demands(fields)


@handles
async def create(
    command: CreateWebHookDraftCommand,
    context: EffectContext,
    registry: Registry,
    sandbox: Sandbox,
    secrets_box: SecretBox,
) -> WebHookDraftView:
    """Examine it, and store it whatever is found."""
    findings = await check_code(command, sandbox, context.organization_id)

    def store(inside: Context) -> WebHookDraftView:
        config = get_or_404(command.config_id, inside) if command.config_id is not None else None
        take_named_lock(inside.tx, f"drafts of organisation {inside.organization_id}")
        if drafts.count_drafts(inside.tx, inside.organization_id) >= MOST:
            raise Invalid(f"{MOST} drafts are kept already; publish or discard some")
        live = config.revision if config is not None else 0
        values = {
            **_values(command, None, findings, inside, registry, secrets_box, config, command.key),
            "organization_id": inside.organization_id,
            "config_id": command.config_id,
            "key": config.key if config is not None else command.key,
            "base_revision": _base(command.revision, live),
            "revision": 1,
            "created_at": inside.now(),
        }
        row = get_draft_or_404(drafts.insert_draft(inside.tx, values), inside)
        return to_draft_view(row, inside, [*findings.invalid, *findings.conflicts])

    return await context.conclude(store)


class UpdateWebHookDraftCommand(Command[WebHookDraftView], WebHookFields):
    """Replace everything of a draft; you are among its authors from then on.

    With `revision`, it is refused when somebody else saved the draft since. `baseRevision` tells that the draft starts
    from another revision of its configuration now, which was changed meanwhile.
    """

    permission = "webhooks:write"
    succeeded = "Draft saved"
    failed = "Update failed"
    sources = SOURCE_NAMES
    sample = {"id": 1, **ORDERS}

    id: Id
    revision: Integer | None = None
    """The draft's own revision that the change starts from."""
    base_revision: Integer | None = None
    """The configuration's revision that the draft starts from now."""
    comment: Comment = ""
    """What reviewers and the history are told."""

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """See `router.config_demands.demands`."""
        return demands(fields)


@handles
async def update(
    command: UpdateWebHookDraftCommand,
    context: EffectContext,
    registry: Registry,
    sandbox: Sandbox,
    secrets_box: SecretBox,
) -> WebHookDraftView:
    """Examine it, and store it whatever is found."""
    findings = await check_code(command, sandbox, context.organization_id)

    def change(inside: Context) -> WebHookDraftView:
        row = get_draft_or_404(command.id, inside)
        if command.revision not in (None, row.revision):
            raise Conflict(CHANGED)
        config = get_or_404(row.config_id, inside) if row.config_id is not None else None
        values = _values(command, row, findings, inside, registry, secrets_box, config, row.key)
        if command.base_revision is not None and config is not None:
            values["base_revision"] = _base(command.base_revision, config.revision)
        if not drafts.update_draft(inside.tx, row, values):
            raise Conflict(CHANGED)
        return to_draft_view(row, inside, [*findings.invalid, *findings.conflicts])

    return await context.conclude(change)


class DiscardWebHookDraftCommand(Command[DiscardedWebHookDraftView]):
    """Give a draft up; the configuration that it would have changed stays as it is."""

    permission = "webhooks:write"
    succeeded = "Draft discarded"
    failed = "Discarding failed"

    id: Id


@handles
def discard(command: DiscardWebHookDraftCommand, context: Context) -> DiscardedWebHookDraftView:
    """Delete it."""
    row = get_draft_or_404(command.id, context)
    if not drafts.delete_draft(context.tx, row):
        raise Conflict(CHANGED)
    return DiscardedWebHookDraftView(id=command.id, key=row.key)


class GetWebHookDraftByIdQuery(Query[WebHookDraftView]):
    """Return one draft, its secrets as `***`."""

    permission = "webhooks:read"
    succeeded = "Draft retrieved successfully"
    failed = "Draft not found"

    id: Id


@handles
def get(query: GetWebHookDraftByIdQuery, context: Context) -> WebHookDraftView:
    """Look it up."""
    return to_draft_view(get_draft_or_404(query.id, context), context)


class GetWebHookDraftListQuery(PagedQuery[Page[WebHookDraftView]]):
    """List drafts, the newest first; `searchText` looks into key, comment and author."""

    permission = "webhooks:read"
    succeeded = "Drafts retrieved successfully"

    config_id: Id | None = None
    """Those of changes to this configuration."""


@handles
def list_drafts(query: GetWebHookDraftListQuery, context: Context) -> Page[WebHookDraftView]:
    """Return one page."""
    return query.page(
        context,
        drafts.select_drafts(query.config_id),
        WebhookDraft,
        lambda row: to_draft_view(row, context),
        search=("key", "comment", "author_name"),
        sortable={"createdAt": "created_at", "updatedAt": "updated_at", "key": "key"},
    )


def get_draft_or_404(draft_id: int, context: Context) -> WebhookDraft:
    """Return a draft of the caller's organisation; raises `NotFound`."""
    row = drafts.find_draft(context.tx, context.organization_id, draft_id)
    if row is None:
        raise NotFound(NO_DRAFT)
    return row


def _base(wanted: int | None, live: int) -> int:
    """Return the revision that a draft starts from, which must be the present one."""
    if wanted not in (None, live):
        raise Conflict(f"revision: is {live} by now, not {wanted}; read the configuration again")
    return live


def _values(
    fields: CreateWebHookDraftCommand | UpdateWebHookDraftCommand,
    former: WebhookDraft | None,
    findings: Findings,
    context: Context,
    registry: Registry,
    box: SecretBox,
    config: WebhookConfig | None,
    key: str | None,
) -> dict[str, Any]:
    """Return the columns that are written whenever a draft is saved; what is wrong with it goes to `findings`."""
    run_as_id = check_references(fields, findings, context, registry)
    check_address(fields, findings, context, own_id=config.id if config is not None else None)
    if config is None and key is not None:
        check_key(key, findings, context)
    definition = with_stored_secrets(seal_definition(definition_of(fields), box), former.definition if former else {})
    live = config.definition if config is not None else {}
    check_secrets(with_stored_secrets(definition, live), live, findings, context)
    check_answers(fields, findings, context.now())
    authors = _authors(former, context.principal)
    return {
        "definition": definition,
        "comment": fields.comment,
        "author_name": context.principal.name,
        "authors": list(authors.accounts),
        "authority": _authority(run_as_id, authors, context.principal).to_json(),
        "updated_at": context.now(),
    }


def _authors(former: WebhookDraft | None, saver: Principal) -> Authority:
    """Return everybody who wrote a draft, and what they might do when they did."""
    own = Authority(saver.standing.accounts, saver.permissions)
    if former is None:
        return own
    return Authority(tuple(former.authors), Authority.from_json(former.authority).within).joined(own)


def _authority(run_as_id: str | None, authors: Authority, saver: Principal) -> Authority:
    """Return on whose behalf a draft would act: its authors, or the account of `runAs`, within what they might do."""
    return authors if run_as_id is None else Authority(authority_from(run_as_id, saver).accounts, authors.within)
