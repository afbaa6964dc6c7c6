"""Pause webhook configurations, so that they accept and keep what comes, and let them go on."""

from bpm.bus import Command, Context, EffectContext, Id, handles
from bpm.errors import Conflict
from commands.webhooks.changes import conclude_change
from commands.webhooks.changes import pause as set_paused
from commands.webhooks.views import PausedWebHookConfigView, ResumedWebHookConfigView
from router.execution import Execution
from router.route_table import RouteTable
from router.tables.configs import WebhookConfig


class PauseWebHookConfigCommand(Command[PausedWebHookConfigView]):
    """Let a configuration accept and keep what comes without executing it, until it is resumed.

    Requests are judged and answered as ever (those of a `sync` configuration with 202) and wait as `pending`. It
    holds 100,000 requests and 1 GiB of bodies; beyond that it answers 503, and a provider sends again.
    """

    permission = "webhooks:write"
    succeeded = "Webhook configuration paused successfully"
    failed = "Pausing failed"

    id: Id


@handles
async def pause(
    command: PauseWebHookConfigCommand, context: EffectContext, routes: RouteTable
) -> PausedWebHookConfigView:
    """Pause it, here before the answer is sent, elsewhere within a second."""

    def change(row: WebhookConfig, inside: Context) -> PausedWebHookConfigView:
        if row.paused_at is not None:
            raise Conflict("Configuration is already paused")
        now = set_paused(row, inside, on=True)
        return PausedWebHookConfigView(id=command.id, key=row.key, is_paused=True, paused_at=now)

    return await conclude_change(context, routes, command.id, change)


class ResumeWebHookConfigCommand(Command[ResumedWebHookConfigView]):
    """Let a paused configuration go on: what it has kept is executed, the oldest first."""

    permission = "webhooks:write"
    succeeded = "Webhook configuration resumed successfully"
    failed = "Resuming failed"

    id: Id


@handles
async def resume(
    command: ResumeWebHookConfigCommand, context: EffectContext, routes: RouteTable, execution: Execution
) -> ResumedWebHookConfigView:
    """Let it go on, and ask for what waits."""

    def change(row: WebhookConfig, inside: Context) -> ResumedWebHookConfigView:
        if row.paused_at is None:
            raise Conflict("Configuration is not paused")
        now = set_paused(row, inside, on=False)
        return ResumedWebHookConfigView(id=command.id, key=row.key, is_paused=False, resumed_at=now)

    view = await conclude_change(context, routes, command.id, change)
    await execution.wake()
    return view
