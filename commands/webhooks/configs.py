"""Create, change and look up webhook configurations; every change is a revision and live when it is answered."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from bpm.bus import Command, Context, EffectContext, Id, Integer, Page, PagedQuery, Query, Registry, WireModel, handles
from bpm.bus.paging import PageNumber
from bpm.errors import Conflict, NotFound
from bpm.security.secret_names import SOURCE_NAMES
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from commands.webhooks.changes import NOT_FOUND, conclude_change, conclude_live, delete, insert, replace
from commands.webhooks.checks import check_code
from commands.webhooks.shown_fields import ShownFields, require_unchanged
from commands.webhooks.views import (
    DeletedWebHookConfigView,
    WebHookConfigRevisionView,
    WebHookConfigView,
    to_revision_view,
    to_view,
)
from router.config import KEY, Type, WebHookFields
from router.config_demands import demands
from router.route_table import RouteTable
from router.tables import configs, revisions
from router.tables.configs import WebhookConfig
from router.tables.revisions import WebhookConfigRevision
from scripts import Sandbox


def webhook_key(value: str) -> str:
    """Return a key, or raise `ValueError` with what one looks like."""
    if not KEY.fullmatch(value):
        raise ValueError("must be 1 to 100 letters, digits, dots, underscores or dashes")
    return value


ORDERS = {
    "description": "Orders of the shop",
    "isEnabled": True,
    "path": "shop/orders",
    "action": "POST",
    "executionType": 0,
    "commandName": "PublishEventCommand",
    "parameters": {"event": "order.placed", "data": "{{payload}}"},
}
"""The example that the catalogue shows."""


class Keyed(WireModel):
    """A configuration's key, by which its users know it; it never changes."""

    key: Annotated[str, AfterValidator(webhook_key)]
    """By which its users know it; it never changes."""


class CreateWebHookConfigCommand(Command[WebHookConfigView], WebHookFields, Keyed):
    """Create a webhook configuration; it answers at `url` as soon as this command does."""

    permission = "webhooks:write"
    succeeded = "Webhook configuration created successfully"
    sources = SOURCE_NAMES
    failed = "Validation failed"
    sample = {"key": "orders", **ORDERS}

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """See `router.config_demands.demands`."""
        return demands(fields)


@handles
async def create(
    command: CreateWebHookConfigCommand,
    context: EffectContext,
    registry: Registry,
    sandbox: Sandbox,
    secrets_box: SecretBox,
    routes: RouteTable,
    settings: Settings,
) -> WebHookConfigView:
    """Check everything, store it, and let this process's routes know."""
    findings = await check_code(command, sandbox, context.organization_id)

    def store(inside: Context) -> WebHookConfigView:
        row = insert(command, command.key, findings, inside, registry, secrets_box, settings)
        return to_view(row, settings.base_url, inside, findings.warnings)

    return await conclude_live(context, routes, store)


class UpdateWebHookConfigCommand(Command[WebHookConfigView], WebHookFields, ShownFields):
    """Replace everything of a configuration but its key.

    A secret sent as `***` stays as it is, and what `GetWebHookConfigByIdQuery` shows can be sent back whole. With
    `revision`, the change is refused when somebody else was faster.
    """

    permission = "webhooks:write"
    succeeded = "Webhook configuration updated successfully"
    sources = SOURCE_NAMES
    failed = "Update failed"
    sample = {"id": 1, **ORDERS}

    id: Id
    revision: Integer | None = None
    """The revision that the change starts from."""

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """See `router.config_demands.demands`."""
        return demands(fields)


@handles
async def update(
    command: UpdateWebHookConfigCommand,
    context: EffectContext,
    registry: Registry,
    sandbox: Sandbox,
    secrets_box: SecretBox,
    routes: RouteTable,
    settings: Settings,
) -> WebHookConfigView:
    """Check everything, store it, and let this process's routes know."""
    findings = await check_code(command, sandbox, context.organization_id)

    def change(row: WebhookConfig, inside: Context) -> WebHookConfigView:
        if command.revision not in (None, row.revision):
            raise Conflict(f"revision: is {row.revision} by now, not {command.revision}; read the configuration again")
        require_unchanged(command, row)
        replace(row, command, findings, inside, registry, secrets_box, settings)
        return to_view(row, settings.base_url, inside, findings.warnings)

    return await conclude_change(context, routes, command.id, change)


class DeleteWebHookConfigCommand(Command[DeletedWebHookConfigView]):
    """Delete a configuration and free its key; its revisions and captured requests stay."""

    permission = "webhooks:write"
    succeeded = "Webhook configuration deleted successfully"
    failed = "Deletion failed"

    id: Id


@handles
async def remove(
    command: DeleteWebHookConfigCommand, context: EffectContext, routes: RouteTable
) -> DeletedWebHookConfigView:
    """Delete the row and let this process's routes know."""

    def change(row: WebhookConfig, inside: Context) -> DeletedWebHookConfigView:
        delete(row, inside)
        return DeletedWebHookConfigView(id=command.id, key=row.key, deleted_at=inside.now())

    return await conclude_change(context, routes, command.id, change)


class GetWebHookConfigByIdQuery(Query[WebHookConfigView]):
    """Return one configuration, its secrets as `***`."""

    permission = "webhooks:read"
    succeeded = "Webhook configuration retrieved successfully"
    failed = NOT_FOUND

    id: Id


@handles
def get(query: GetWebHookConfigByIdQuery, context: Context, settings: Settings) -> WebHookConfigView:
    """Look it up by id."""
    row = configs.config_row_by_id(context.tx, context.organization_id, query.id)
    if row is None:
        raise NotFound("No webhook configuration found with the specified ID")
    return to_view(row, settings.base_url, context)


class GetWebHookConfigListQuery(PagedQuery[Page[WebHookConfigView]]):
    """List configurations; `searchText` looks into key, description and path."""

    permission = "webhooks:read"
    succeeded = "Webhook configurations retrieved successfully"

    is_enabled: bool | None = None
    execution_type: Type | None = None
    """Those of this type: 0 a command, 1 a chain, 2 a script, 3 a process."""
    label: Annotated[str, Field(min_length=1, max_length=100)] | None = None


@handles
def list_configs(query: GetWebHookConfigListQuery, context: Context, settings: Settings) -> Page[WebHookConfigView]:
    """Return one page, the newest first."""
    return query.page(
        context,
        configs.select_configs(query.is_enabled, query.execution_type, query.label),
        WebhookConfig,
        lambda row: to_view(row, settings.base_url, context),
        search=("key", "description", "path"),
        sortable={"createdAt": "created_at", "updatedAt": "updated_at", "id": "id", "key": "key", "path": "path"},
    )


class LookupWebHookByKeyCommand(Command[WebHookConfigView | Page[WebHookConfigView]]):
    """Return the configuration with a key; without a key all of them, a page at a time."""

    permission = "webhooks:read"
    succeeded = "Webhook configuration found"
    failed = "Lookup failed"

    key: str | None = None
    """The key of the rule; all of them, if left out."""
    page_number: PageNumber = 1
    page_size: Annotated[Integer, Field(ge=1, le=200)] = 10


@handles
def look_up(
    command: LookupWebHookByKeyCommand, context: Context, settings: Settings
) -> WebHookConfigView | Page[WebHookConfigView]:
    """Look it up by key."""
    if command.key is None:
        everything = GetWebHookConfigListQuery(page_number=command.page_number, page_size=command.page_size)
        return Page[WebHookConfigView].model_validate(list_configs(everything, context, settings))
    row = configs.config_with_key(context.tx, context.organization_id, command.key)
    if row is None:
        raise NotFound("No webhook configuration found with the specified key")
    return to_view(row, settings.base_url, context)


class GetWebHookConfigHistoryQuery(PagedQuery[Page[WebHookConfigRevisionView]]):
    """List what a configuration was after each change, by whom and when; also of one that was deleted."""

    permission = "webhooks:read"
    succeeded = "Webhook configuration history retrieved successfully"
    failed = NOT_FOUND

    id: Id


@handles
def list_revisions(query: GetWebHookConfigHistoryQuery, context: Context) -> Page[WebHookConfigRevisionView]:
    """Return one page, the newest revision first."""
    page = query.page(
        context,
        revisions.select_revisions(query.id),
        WebhookConfigRevision,
        lambda row: to_revision_view(row, context),
        search=("change", "author_name"),
        sortable={"revision": "revision", "createdAt": "created_at"},
    )
    if not page.total_count and not revisions.has_revisions(context.tx, context.organization_id, query.id):
        raise NotFound("No webhook configuration found with the specified ID")
    return page
