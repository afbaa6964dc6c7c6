"""Take in Mono's events and keep the accounts they are about."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Command, Context, View, handles
from bpm.security.redaction import redacted
from commands.payments import mono_tables, tables
from commands.payments.mono_payments import PAYMENT_EVENTS, keep_payment
from commands.payments.mono_tables import MonoAccount, MonoEvent
from commands.payments.publication import publish
from router.providers.mono import events as mono_events
from router.providers.mono.confirmation import MonoApi

Name = Annotated[str, Field(min_length=1, max_length=200)]


class MonoEventView(View):
    """What became of an event: the name it was published under, or that it was known already."""

    event: str
    published_as: str
    """The name under which it was published."""
    account_id: str | None
    duplicate: bool
    """Whether it was known already."""


class ProcessMonoEventCommand(Command[MonoEventView]):
    """Keep an event of Mono's, bring its account up to date and publish it; once for each `eventId`."""

    permission = "payments:write"
    succeeded = "Mono event processed successfully"
    failed = "Processing failed"

    event: Name
    """Mono's name of the event."""
    event_id: Name
    """Mono's id of the event."""
    timestamp: Annotated[str, Field(max_length=200)] | None = None
    """When it happened, by Mono."""
    data: dict[str, Any] = Field(default_factory=dict[str, Any])


@handles
def process(command: ProcessMonoEventCommand, context: Context, mono_api: MonoApi) -> MonoEventView:
    """Store and publish the event, and have the payment confirmed that it tells of; a known one does the latter."""
    name = mono_events.published_name(command.event)
    account_id = mono_events.account_id(name, command.data)
    occurred_at = mono_events.moment_of(command.timestamp)
    event = MonoEvent(
        organization_id=context.organization_id,
        event_id=command.event_id,
        event=command.event,
        name=name,
        account_id=account_id,
        data=redacted(command.data),
        occurred_at=occurred_at,
        request_id=context.envelope.root,
        created_at=context.now(),
    )
    is_new = tables.insert_once(context.tx, MonoEvent, event.model_dump(exclude={"id"}))
    if is_new:
        if account_id is not None and name in mono_events.ACCOUNT_EVENTS:
            keep_account(context, account_id, name, mono_events.account_details(name, command.data), occurred_at)
        publish(context, name, _event_data(event))
    if name in PAYMENT_EVENTS:
        keep_payment(context, event, mono_api)
    return MonoEventView(event=event.event, published_as=name, account_id=account_id, duplicate=not is_new)


def keep_account(
    context: Context, account_id: str, name: str, details: dict[str, Any], occurred_at: datetime | None
) -> None:
    """Create the account or change it by what an event says; a late event only fills gaps."""
    account = mono_tables.mono_account(context.tx, context.organization_id, account_id)
    told = {**details, "status": mono_events.STATUS_AFTER.get(name), "event_at": occurred_at}
    changes = {column: value for column, value in told.items() if value is not None}
    if account is None:
        account = _new_account(context, account_id)
    elif _is_late(account, occurred_at):
        changes = {column: value for column, value in changes.items() if getattr(account, column) is None}
    changes |= {"request_id": context.envelope.root, "updated_at": context.now()}
    tables.change(context.tx, context.organization_id, account, changes)


def _new_account(context: Context, account_id: str) -> MonoAccount:
    return MonoAccount(
        account_id=account_id,
        status=mono_events.CONNECTED,
        request_id=context.envelope.root,
        created_at=context.now(),
    )


def _is_late(account: MonoAccount, occurred_at: datetime | None) -> bool:
    return occurred_at is not None and account.event_at is not None and occurred_at < account.event_at


def _event_data(event: MonoEvent) -> dict[str, Any]:
    return {
        "event": event.event,
        "eventId": event.event_id,
        "accountId": event.account_id,
        "occurredAt": event.occurred_at,
        "requestId": event.request_id,
        "data": event.data,
    }
