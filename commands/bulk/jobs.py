"""Plan a bulk job, start it, cancel it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from bpm.bulk import BulkJobs, tables
from bpm.bulk.tables import BulkJob
from bpm.bus import Command, Context, EffectContext, Integer, Registry, handles
from bpm.errors import Conflict, Invalid, NotFound
from bpm.security.identifiers import new_id
from bpm.security.permissions import stored_authority
from bpm.security.stored_principal import principal_columns
from bpm.store.named_lock import take_named_lock
from bpm.threads import INLINE_BYTES, size_of
from commands.bulk.actions import ACTIONS, Action, ActionName
from commands.bulk.views import BulkJobView

MAX_ROWS = 10_000
MAX_OPEN = 20
"""How many jobs of an organisation may be planned or running."""
KEPT_PLANNED = timedelta(hours=1)
"""For how long a plan may be started."""
PIECE = 500
"""How many rows are stored in one transaction: others write in between."""

BulkId = Annotated[str, Field(min_length=1, max_length=100)]


class PlanBulkJobCommand(Command[BulkJobView]):
    """Choose rows to do something with, and keep the list: nothing is done until `StartBulkJobCommand`.

    `selection` is what the action's query takes: `SelectInboundRequestsQuery` for requests, `SelectDeliveriesQuery`
    for deliveries, `SelectIncidentsQuery` for incidents. `fields` are added to each message, as `force` or `reason`.
    At most `limit` rows are chosen, the oldest. What matches later is not among them. It needs the permission of the
    action's message as well.
    """

    permission = "messages:write"
    succeeded = "Bulk job planned"
    failed = "Planning failed"
    sample = {"action": "replayRequests", "selection": {"state": "dead"}}

    action: ActionName
    """What to do with each row."""
    selection: dict[str, Any] = Field(default_factory=dict[str, Any])
    """The fields of the action's query, by which the rows are chosen."""
    fields: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Fields that are added to each message; at most 32 KiB."""
    limit: Annotated[Integer, Field(ge=1, le=MAX_ROWS)] = MAX_ROWS


@handles
async def plan(command: PlanBulkJobCommand, context: EffectContext, registry: Registry) -> BulkJobView:
    """Choose the rows in a snapshot, store them in pieces, then let the job be started."""
    if size_of(command.fields) > INLINE_BYTES:
        raise Invalid(f"fields: take more than {INLINE_BYTES // 1024} KiB; they are sent with every row")
    action = ACTIONS[command.action]
    message_type = registry.find(action.message_type).message_type
    await context.read(lambda inside: _require(inside, message_type.permission))
    found = await context.call(action.select, {**command.selection, "limit": command.limit})
    chosen: list[str] = found["ids"]
    if not chosen:
        raise NotFound("Nothing matches the selection")
    registry.decode(action.message_type, {**command.fields, **action.fields_of(chosen[0])})
    job = _planned(command, context, matched=found["matched"], total=len(chosen))
    await _store_rows(job, action, chosen, context)
    return await context.conclude(lambda inside: _store(job, inside))


class StartBulkJobCommand(Command[BulkJobView]):
    """Begin a planned bulk job: one message for each row, on your behalf, in the background.

    Each row is done in a transaction of its own, exactly once, also when servers stop in between. What you and whoever
    planned it may do is asked anew at every row.
    """

    permission = "messages:write"
    succeeded = "Bulk job started"
    failed = "Start failed"

    bulk_id: BulkId
    """The id of the bulk job."""


@handles
def start(command: StartBulkJobCommand, context: Context, registry: Registry, bulk: BulkJobs) -> BulkJobView:
    """Let it run, as whoever starts it and whoever planned it."""
    row = bulk_job(command.bulk_id, context, registry)
    if row.state == tables.PLANNED and context.now() - row.created_at > KEPT_PLANNED:
        raise Conflict("The plan is more than an hour old; plan it again, so that you see what matches now")
    asker = principal_columns(context.principal.without_loan(), "asker")
    authority = context.principal.standing.joined(stored_authority(row.authority, row.asker_id, row.permissions))
    if not bulk.start(context.tx, row.organization_id, row.id, {**asker, "authority": authority.to_json()}):
        raise Conflict(f"The bulk job is {row.state}; only one that is planned can be started")
    return _shown_again(row, context)


class CancelBulkJobCommand(Command[BulkJobView]):
    """End a bulk job early: what is done stays done, and nothing further is touched from this answer on."""

    permission = "messages:write"
    succeeded = "Bulk job cancelled"
    failed = "Cancellation failed"

    bulk_id: BulkId
    """The id of the bulk job."""


@handles
def cancel(command: CancelBulkJobCommand, context: Context, registry: Registry, bulk: BulkJobs) -> BulkJobView:
    """End it."""
    row = bulk_job(command.bulk_id, context, registry)
    if not bulk.cancel(context.tx, row.id):
        raise Conflict(f"The bulk job is {row.state} already")
    return _shown_again(row, context)


def bulk_job(bulk_id: str, context: Context, registry: Registry) -> BulkJob:
    """Return a bulk job of the organisation's to somebody who may do with one row what it does with many.

    Raises `NotFound` and `Forbidden`.
    """
    row = tables.find_job(context.tx, context.organization_id, bulk_id)
    if row is None:
        raise NotFound("No bulk job found with the specified ID")
    _require(context, registry.find(row.message_type).message_type.permission)
    return row


def to_view(row: BulkJob) -> BulkJobView:
    """Show a bulk job."""
    return BulkJobView.model_validate({**row.model_dump(), "left": row.total - row.done - row.refused})


def _require(context: Context, permission: str | None) -> None:
    if permission is not None:
        context.require(context.principal, permission, "This bulk job")


def _planned(command: PlanBulkJobCommand, context: EffectContext, *, matched: int, total: int) -> dict[str, Any]:
    """Return a planned job as columns."""
    action = ACTIONS[command.action]
    return {
        "organization_id": context.organization_id,
        "id": new_id(),
        "action": command.action,
        "message_type": action.message_type,
        "fields": command.fields,
        "told_by": action.told_by,
        "selection": command.selection,
        "matched": matched,
        "total": total,
        "done": 0,
        "refused": 0,
        "state": tables.PLANNED,
        "turn": 0,
        "correlation_id": context.envelope.root,
        "depth": context.envelope.depth,
        "created_at": context.now(),
        **principal_columns(context.principal.without_loan(), "asker"),
    }


async def _store_rows(job: Mapping[str, Any], action: Action, chosen: Sequence[str], context: EffectContext) -> None:
    """Store the list in pieces; until it is whole the job is stored as a cancelled one, which nobody can start.

    Raises `Invalid` when the organisation has as many jobs as it may.
    """
    rows = [{"number": at, "ref": id_, "fields": action.fields_of(id_)} for at, id_ in enumerate(chosen, start=1)]

    def begin(inside: Context) -> None:
        take_named_lock(inside.tx, f"bulk jobs of organisation {inside.organization_id}")
        if tables.count_open(inside.tx, inside.organization_id, inside.now() - KEPT_PLANNED) >= MAX_OPEN:
            raise Invalid(f"action: {MAX_OPEN} bulk jobs are planned or running; wait until one ends, or cancel one")
        tables.insert_job(inside.tx, {**job, "state": tables.CANCELLED})

    await context.note(begin)
    for at in range(0, len(rows), PIECE):
        piece = rows[at : at + PIECE]
        await context.note(lambda inside, piece=piece: tables.insert_rows(inside.tx, job, piece))


def _store(job: Mapping[str, Any], context: Context) -> BulkJobView:
    tables.insert_job(context.tx, job)
    row = tables.find_job(context.tx, context.organization_id, job["id"])
    assert row is not None
    return to_view(row)


def _shown_again(row: BulkJob, context: Context) -> BulkJobView:
    context.session.refresh(row)
    return to_view(row)
