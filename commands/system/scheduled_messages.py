"""Messages that the product sends later: look at them, and send those again that were given up."""

from typing import Annotated, Literal

from pydantic import Field

from bpm.bus import Command, Context, Moment, Page, PagedQuery, ShownWith, View, handles, tables
from bpm.bus.later import KIND
from bpm.bus.tables import ScheduledMessage
from bpm.errors import Conflict, NotFound
from bpm.jobs import Job, JobQueue


class ScheduledMessageView(View):
    """A message to be sent later, without its fields; `errors` say why the last attempt failed."""

    id: str
    type: str
    """The `$type` of the message."""
    state: Literal["waiting", "sent", "dead"]
    """How far it is."""
    principal_id: str
    """As whom it is sent, by id."""
    principal_name: str
    """As whom it is sent, by name."""
    attempt: int
    """How many attempts were made."""
    errors: Annotated[list[str] | None, ShownWith("messages:read")]
    correlation_id: str
    created_at: Moment
    due_at: Moment
    completed_at: Moment | None


class GetScheduledMessageListQuery(PagedQuery[Page[ScheduledMessageView]]):
    """List the messages that are sent later: beginnings of processes, thrown messages, the rest of bulk work.

    One that is `waiting` and has `errors` is tried again; one that is `dead` waits for RetryScheduledMessageCommand.
    """

    permission = "messages:read"
    succeeded = "Scheduled messages retrieved successfully"

    state: Literal["waiting", "sent", "dead"] | None = None
    """Those in this state."""
    message_type: Annotated[str, Field(min_length=1, max_length=200)] | None = None


@handles
def list_scheduled(query: GetScheduledMessageListQuery, context: Context) -> Page[ScheduledMessageView]:
    """Return one page, the newest first."""
    statement = tables.select_scheduled(query.state, query.message_type)
    columns = {"createdAt": "created_at", "dueAt": "due_at"}
    show = ScheduledMessageView.model_validate
    return query.page(context, statement, ScheduledMessage, show, sortable=columns, unloaded=("fields",))


class RetryScheduledMessageCommand(Command[ScheduledMessageView]):
    """Send a message again that was given up, once what kept it is mended; it is sent as whoever asked for it."""

    permission = "messages:write"
    succeeded = "Scheduled message is tried again"
    failed = "Retry failed"

    id: Annotated[str, Field(min_length=1, max_length=100)]


@handles
def retry_scheduled(command: RetryScheduledMessageCommand, context: Context, jobs: JobQueue) -> ScheduledMessageView:
    """Let it wait for one more attempt, due now."""
    row = tables.scheduled_of(context.tx, context.organization_id, command.id)
    if row is None:
        raise NotFound("No scheduled message found with the specified ID")
    if row.state != "dead":
        raise Conflict(f"The message is {row.state}; only one that is dead can be retried")
    row.state, row.attempt, row.due_at, row.completed_at = "waiting", row.attempt + 1, context.now(), None
    context.session.flush()
    jobs.enqueue(context.tx, Job(KIND, row.id, row.attempt, row.due_at, context.organization_id))
    return ScheduledMessageView.model_validate(row)
