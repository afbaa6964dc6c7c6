"""Complete what a browser brings back from Mono Connect."""

from typing import Annotated, Any, Literal

from pydantic import Field
from sqlmodel import col

from bpm.bus import Command, Context, EffectContext, View, handles
from commands.payments import mono_tables, tables
from commands.payments.mono_events import keep_account
from commands.payments.mono_tables import MonoConnection, MonoEvent
from commands.payments.publication import publish
from router.providers.credentials import require_may_ask
from router.providers.mono.confirmation import Exchange, MonoApi
from router.providers.mono.events import account_details

Status = Literal["connected", "failed", "closed"]
EVENTS_READ = 50
"""In how many of an account's newest events a reference is looked for."""

Short = Annotated[str, Field(max_length=500)]


class MonoConnectionView(View):
    """Connected to an account, failed because Mono refused the code, or closed without a code."""

    status: Status
    """What became of it."""
    account_id: str | None
    reference: str | None
    reason: str | None
    """Why there is no account."""


class CompleteMonoConnectionCommand(Command[MonoConnectionView]):
    """Exchange the code of Mono Connect for the account's id; `query` keeps whatever else the browser brought.

    The code proves the account and not the `reference`: a browser may bring a code of its own with somebody else's.
    Mono is asked with the installation's key, so only the installation may send a `code`.
    """

    permission = "payments:write"
    succeeded = "Mono connection completed"
    failed = "Completing the connection failed"
    secrets = frozenset({"code"})

    code: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """The code that the browser brought."""
    reference: Short | None = None
    status: Short | None = None
    """What the browser brought as status."""
    reason: Short | None = None
    """What the browser brought as reason."""
    query: dict[str, str] = Field(default_factory=dict[str, str])
    """Whatever else the browser brought."""


@handles
async def complete(
    command: CompleteMonoConnectionCommand, context: EffectContext, mono_api: MonoApi
) -> MonoConnectionView:
    """Ask Mono if there is a code to ask about, then keep and publish how it ended."""
    if command.code is not None:
        require_may_ask(context.organization_id)
    exchange = await mono_api.exchange(command.code) if command.code is not None else Exchange(refusal=command.reason)
    return await context.conclude(lambda concluding: _keep(command, exchange, concluding))


def _keep(command: CompleteMonoConnectionCommand, exchange: Exchange, context: Context) -> MonoConnectionView:
    connection = MonoConnection(
        organization_id=context.organization_id,
        status=_status(command, exchange),
        account_id=exchange.account_id,
        reference=command.reference,
        reason=exchange.refusal,
        query=command.query,
        request_id=context.envelope.root,
        created_at=context.now(),
    )
    tables.insert(context.tx, connection)
    if connection.account_id is not None:
        _keep_account(connection.account_id, command.reference, context)
    is_proven = _is_proven(connection, context)
    publish(context, f"mono.connection_{connection.status}", _event_data(connection, is_reference_proven=is_proven))
    return MonoConnectionView.model_validate(connection)


def _keep_account(account_id: str, reference: str | None, context: Context) -> None:
    """Keep the account with the browser's reference, where there is none yet: one of an event's is Mono's word."""
    known = mono_tables.mono_account(context.tx, context.organization_id, account_id)
    told = {"reference": reference} if known is None or known.reference is None else {}
    keep_account(context, account_id, "mono.account_connected", told, None)


def _is_proven(connection: MonoConnection, context: Context) -> bool:
    """Tell whether an event of Mono's has named the reference that the browser brought with the account."""
    if connection.account_id is None or connection.reference is None:
        return False
    of_account = mono_tables.select_mono_events(None, connection.account_id, None, None)
    newest = of_account.order_by(col(MonoEvent.id).desc()).limit(EVENTS_READ)
    told = (account_details(event.name, event.data) for event in context.session.exec(newest))
    return any(details.get("reference") == connection.reference for details in told)


def _status(command: CompleteMonoConnectionCommand, exchange: Exchange) -> Status:
    if command.code is None:
        return "closed"
    return "connected" if exchange.account_id is not None else "failed"


def _event_data(connection: MonoConnection, *, is_reference_proven: bool) -> dict[str, Any]:
    return {
        "accountId": connection.account_id,
        "reference": connection.reference,
        "isReferenceProven": is_reference_proven,
        "reason": connection.reason,
        "requestId": connection.request_id,
    }
