"""Look at the recorded runs of scripts."""

from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Context, Moment, Page, PagedQuery, Query, View, handles
from bpm.security.redaction import redacted_text, secret_texts, without_credentials, without_everywhere
from bpm.security.secrets import SecretBox
from commands.code.recording import Recording
from commands.code.replaying import get_or_404
from commands.code.tables import CodeRun, select_runs
from commands.code.views import FailureView
from scripts import Reason

Word = Annotated[str, Field(min_length=1, max_length=200)]


class RecordedRunView(View):
    """What a run took; `rule` is the number of its rule and its revision, `replayable` whether it was kept whole."""

    run_id: str
    request_id: str
    correlation_id: str
    rule: str | None
    """The number of its rule and its revision."""
    sender: str
    """On whose behalf it ran."""
    source_hash: str
    """The SHA-256 of the script."""
    failure: FailureView | None
    """Why it did not come to its end."""
    sends: int
    cpu_seconds: float
    peak_memory_bytes: int
    replayable: bool
    """Whether it was kept whole."""
    created_at: Moment


class SentView(View):
    """A command that a run sent: whether at its end, and whether it was refused."""

    command: str
    """The `$type` of the command."""
    at_end: bool
    """Whether it was sent when the script had ended."""
    refused: bool
    """Whether the bus refused it."""


class RecordedRunDetailView(RecordedRunView):
    """A run with its script, its inputs, what it sent and what it came to, as far as they were kept."""

    code: str | None = None
    """The script."""
    inputs: dict[str, Any] | None = None
    """What it was given."""
    sent: list[SentView] | None = None
    """The commands that it sent."""
    outcome: dict[str, Any] | None = None
    """What it came to."""


class GetCodeRunListQuery(PagedQuery[Page[RecordedRunView]]):
    """List recorded runs of scripts with what each took; `hasFailed` and `reason` choose by how they ended."""

    permission = "code:read"
    succeeded = "Runs retrieved successfully"
    sortable = ("createdAt", "cpuSeconds", "peakMemoryBytes")

    rule: Word | None = Field(default=None, description="The runs of a rule: its number and revision, as in `7:2`")
    run_id: Word | None = None
    request_id: Word | None = None
    correlation_id: Word | None = None
    has_failed: bool | None = None
    """Those that failed, or those that did not."""
    reason: Reason | None = None
    """Those that failed for this reason."""


@handles
def list_runs(query: GetCodeRunListQuery, context: Context) -> Page[RecordedRunView]:
    """Fetch the page."""
    return query.page(
        context,
        select_runs(
            id=query.run_id,
            rule=query.rule,
            request_id=query.request_id,
            correlation_id=query.correlation_id,
            reason=query.reason,
            failed=query.has_failed,
        ),
        CodeRun,
        lambda row: RecordedRunView(**_figures(row)),
        search=("message", "sender", "rule"),
        sortable={"createdAt": "created_at", "cpuSeconds": "cpu_seconds", "peakMemoryBytes": "peak_memory_bytes"},
    )


class GetCodeRunByIdQuery(Query[RecordedRunDetailView]):
    """Return one recorded run with its script, its inputs and what it came to, secrets hidden.

    Who may write code sees the script as it is.
    """

    permission = "code:read"
    succeeded = "Run retrieved successfully"
    failed = "Run not found"

    run_id: Word


@handles
def get_run(query: GetCodeRunByIdQuery, context: Context, secrets_box: SecretBox) -> RecordedRunDetailView:
    """Look it up, and open it if it was kept whole."""
    row = get_or_404(query.run_id, context)
    if row.sealed is None:
        return RecordedRunDetailView(**_figures(row))
    kept = Recording.opened(row.sealed, secrets_box)
    sent = [SentView(command=a.command, at_end=a.at_end, refused=a.refused is not None) for a in kept.answers]
    may_write = context.principal.allows("code:write")
    return RecordedRunDetailView(
        **_figures(row),
        code=kept.code if may_write else redacted_text(kept.code),
        inputs=without_credentials(kept.inputs),
        sent=sent,
        outcome=without_everywhere(without_credentials(kept.outcome), set(secret_texts(kept.inputs))),
    )


def _figures(row: CodeRun) -> dict[str, Any]:
    failure = None
    if row.reason is not None:
        failure = FailureView.model_validate({**row.model_dump(), "message": row.message or ""})
    return {
        **row.model_dump(exclude={"id", "reason", "message", "line", "column", "sealed"}),
        "run_id": row.id,
        "failure": failure,
        "replayable": row.sealed is not None,
    }
