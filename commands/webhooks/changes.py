"""How a configuration's row changes: with the secrets sealed, the author's permissions, and a revision."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from bpm.accounts.limits import require_room
from bpm.bus import Context, EffectContext, Registry, View
from bpm.errors import Conflict, NotFound
from bpm.security.permissions import Authority, Principal
from bpm.security.references import References
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from commands.webhooks.addresses import check_address, check_key
from commands.webhooks.checks import (
    KEY_TAKEN,
    Findings,
    check_answers,
    check_references,
    check_resolved,
    check_retention,
    check_secrets,
    check_signature,
)
from commands.webhooks.origin import WRITTEN, ChangeOrigin, require_reviewed
from router.config import WebHookFields, definition_of
from router.config_secrets import redacted_definition, seal_definition, with_stored_secrets
from router.paths import shape
from router.route_table import RouteTable
from router.rule_compiler import authority_of
from router.tables import configs, revisions, rule_retention
from router.tables.configs import RuleRow, WebhookConfig

NOT_FOUND = "Configuration not found"

V = TypeVar("V", bound=View)


def get_or_404(config_id: int, context: Context) -> WebhookConfig:
    """Return a configuration of the caller's organisation, to be changed by nobody else meanwhile.

    Raises `NotFound`.
    """
    revisions.lock_configs(context.tx)
    row = configs.config_by_id(context.tx, context.organization_id, config_id)
    if row is None:
        raise NotFound(NOT_FOUND)
    return row


async def conclude_live(context: EffectContext, routes: RouteTable, change: Callable[[Context], V]) -> V:
    """Conclude with a change of configurations, which this process's routes know before it is answered."""
    view = await context.conclude(change)
    await routes.refresh()
    return view


async def conclude_change(
    context: EffectContext, routes: RouteTable, config_id: int, change: Callable[[WebhookConfig, Context], V]
) -> V:
    """Conclude with the change of one configuration; raises `NotFound`."""
    return await conclude_live(context, routes, lambda inside: change(get_or_404(config_id, inside), inside))


def insert(
    fields: WebHookFields,
    key: str,
    findings: Findings,
    context: Context,
    registry: Registry,
    box: SecretBox,
    settings: Settings,
    origin: ChangeOrigin = WRITTEN,
) -> WebhookConfig:
    """Store a new configuration; raises `Invalid` or `Conflict` with everything that is against it."""
    revisions.lock_configs(context.tx)
    require_reviewed(origin, context)
    require_room(context.tx, context.organization_id, "webhooks", configs.count_configs, settings)
    run_as_id = check_references(fields, findings, context, registry)
    check_key(key, findings, context)
    check_address(fields, findings, context)
    definition = seal_definition(definition_of(fields), box)
    check_secrets(definition, {}, findings, context)
    check_resolved(definition, References(settings.references).resolver(context.organization_id), findings)
    check_signature(definition, box, findings)
    check_answers(fields, findings, context.now())
    check_retention(fields, findings, settings)
    findings.raise_any()
    values = {
        **_values(fields, definition, run_as_id, context, origin),
        "organization_id": context.organization_id,
        "key": key,
        "revision": 1,
        "created_at": context.now(),
    }
    row = configs.insert_config(context.tx, values)
    if row is None:
        raise Conflict(KEY_TAKEN, message="Validation failed")  # another server process was faster
    rule_retention.keep_retention(context.tx, row)
    _record(row, "created", context, origin=origin)
    return row


def replace(
    row: WebhookConfig,
    fields: WebHookFields,
    findings: Findings,
    context: Context,
    registry: Registry,
    box: SecretBox,
    settings: Settings,
    origin: ChangeOrigin = WRITTEN,
) -> None:
    """Change a configuration to these fields; raises `Invalid` or `Conflict` with everything against it."""
    revisions.lock_configs(context.tx)
    require_reviewed(origin, context)
    run_as_id = check_references(fields, findings, context, registry)
    check_address(fields, findings, context, own_id=row.id)
    definition = with_stored_secrets(seal_definition(definition_of(fields), box), row.definition)
    check_secrets(definition, row.definition, findings, context)
    check_resolved(definition, References(settings.references).resolver(context.organization_id), findings)
    check_signature(definition, box, findings)
    check_answers(fields, findings, context.now())
    check_retention(fields, findings, settings)
    findings.raise_any()
    values = {
        **_values(fields, definition, run_as_id, context, origin),
        "revision": row.revision + 1,
        "updated_at": context.now(),
    }
    configs.update_config(context.tx, row, values)
    rule_retention.keep_retention(context.tx, row)
    _record(row, "updated", context, origin=origin)


def switch(row: WebhookConfig, context: Context, *, on: bool) -> datetime:
    """Switch a configuration on or off; return when. It acts for whoever switched it on as well."""
    now = context.now()
    definition = {**row.definition, "isEnabled": on}
    values: dict[str, Any] = {"is_enabled": on, "definition": definition, "revision": row.revision + 1}
    values |= {"updated_at": now, "applied_at": None}
    if on:
        values["authority"] = authority_of(RuleRow.of(row)).joined(context.principal.standing).to_json()
    configs.update_config(context.tx, row, values)
    _record(row, "activated" if on else "deactivated", context)
    return now


def pause(row: WebhookConfig, context: Context, *, on: bool) -> datetime:
    """Let a configuration keep what it accepts from now on, or execute it again; return when."""
    now = context.now()
    values = {"paused_at": now if on else None, "revision": row.revision + 1, "updated_at": now}
    configs.update_config(context.tx, row, values)
    _record(row, "paused" if on else "resumed", context)
    return now


def delete(row: WebhookConfig, context: Context) -> None:
    """Delete a configuration."""
    _record(row, "deleted", context, revision=row.revision + 1)
    configs.delete_config(context.tx, row)


def draft_row(
    fields: WebHookFields,
    saved: WebhookConfig | None,
    findings: Findings,
    context: Context,
    box: SecretBox,
    origin: ChangeOrigin = WRITTEN,
) -> RuleRow:
    """Return the row that a draft, or one of changes to `saved`, would be stored as."""
    stored = saved.definition if saved else {}
    definition = with_stored_secrets(seal_definition(definition_of(fields), box), stored)
    check_secrets(definition, stored, findings, context)
    check_signature(definition, box, findings)
    check_answers(fields, findings, context.now())
    draft = WebhookConfig(
        **_values(fields, definition, None, context, origin),
        id=saved.id if saved else 0,
        key=saved.key if saved else "",
        revision=0,
        organization_id=context.organization_id,
        created_at=context.now(),
    )
    return RuleRow.of(draft)


def _values(
    fields: WebHookFields, definition: Mapping[str, Any], run_as_id: str | None, context: Context, origin: ChangeOrigin
) -> dict[str, Any]:
    authority = authority_from(run_as_id, context.principal)
    if origin.drafter is not None:
        authority = authority.joined(origin.drafter)
    return {
        "description": fields.description,
        "is_enabled": fields.is_enabled,
        "path": fields.path,
        "shape": shape(fields.path),
        "action": fields.action,
        "execution_type": int(fields.execution_type),
        "definition": definition,
        "labels": configs.labels_text(fields.labels),
        "author_id": context.principal.id,
        "author_name": context.principal.name,
        "permissions": sorted(authority.within or ()),
        "authority": authority.to_json(),
        "run_as_id": run_as_id,
        "is_contested": False,
        "applied_at": None,
    }


def authority_from(run_as_id: str | None, author: Principal) -> Authority:
    """Return on whose behalf a rule acts, never with more than its author may do now."""
    accounts = (run_as_id,) if run_as_id is not None else author.standing.accounts
    return Authority(accounts, author.permissions)


def _record(
    row: WebhookConfig, change: str, context: Context, revision: int | None = None, origin: ChangeOrigin = WRITTEN
) -> None:
    revisions.insert_revision(
        context.tx,
        {
            "organization_id": context.organization_id,
            "config_id": row.id,
            "key": row.key,
            "revision": revision or row.revision,
            "change": change,
            "author_id": context.principal.id,
            "author_name": context.principal.name,
            "definition": redacted_definition(row.definition),
            "comment": origin.comment,
            "drafted_by": origin.drafted_by,
            "created_at": context.now(),
        },
    )
