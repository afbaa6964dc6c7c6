"""Let webhook configurations answer, or keep them from it."""

from bpm.bus import Command, Context, EffectContext, Id, handles
from bpm.errors import Conflict
from commands.webhooks.changes import conclude_change, switch
from commands.webhooks.views import ActivatedWebHookConfigView, DeactivatedWebHookConfigView
from router.route_table import RouteTable
from router.tables.configs import WebhookConfig


class ActivateWebHookConfigCommand(Command[ActivatedWebHookConfigView]):
    """Let a configuration answer again."""

    permission = "webhooks:write"
    succeeded = "Webhook configuration activated successfully"
    failed = "Activation failed"

    id: Id


@handles
async def activate(
    command: ActivateWebHookConfigCommand, context: EffectContext, routes: RouteTable
) -> ActivatedWebHookConfigView:
    """Switch it on and let this process's routes know."""

    def change(row: WebhookConfig, inside: Context) -> ActivatedWebHookConfigView:
        if row.is_enabled:
            raise Conflict("Configuration is already active")
        now = switch(row, inside, on=True)
        return ActivatedWebHookConfigView(id=command.id, key=row.key, is_enabled=True, activated_at=now)

    return await conclude_change(context, routes, command.id, change)


class DeactivateWebHookConfigCommand(Command[DeactivatedWebHookConfigView]):
    """Stop a configuration from answering; what it accepted before is still executed.

    What comes is kept in quarantine, up to the organisation's room of a day; PauseWebHookConfigCommand loses nothing.
    """

    permission = "webhooks:write"
    succeeded = "Webhook configuration deactivated successfully"
    failed = "Deactivation failed"

    id: Id


@handles
async def deactivate(
    command: DeactivateWebHookConfigCommand, context: EffectContext, routes: RouteTable
) -> DeactivatedWebHookConfigView:
    """Switch it off and let this process's routes know."""

    def change(row: WebhookConfig, inside: Context) -> DeactivatedWebHookConfigView:
        if not row.is_enabled:
            raise Conflict("Configuration is already inactive")
        now = switch(row, inside, on=False)
        return DeactivatedWebHookConfigView(id=command.id, key=row.key, is_enabled=False, deactivated_at=now)

    return await conclude_change(context, routes, command.id, change)
