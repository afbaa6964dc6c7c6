"""How a run of a script is shown."""

from typing import Annotated, Any

from pydantic import Field
from pydantic_core import PydanticSerializationError

from bpm.bus import Moment, View
from bpm.errors import Failed
from bpm.exact_json import write_json
from scripts import Failure, Reason, Run

Source = Annotated[str, Field(min_length=1, max_length=65_536)]


class ReplyView(View):
    """The answer a script chose for the caller of a `sync` webhook."""

    status: int
    """The HTTP status."""
    body: Any = None
    """The body: text, or what is sent as JSON."""
    headers: dict[str, str] = Field(default_factory=dict[str, str])


class CodeRunView(View):
    """What a script came to; with the same `seed` and `now`, inputs and answers it comes to the same again.

    `runId` is under which the run was recorded: `ReplayCodeCommand` replays it.
    """

    result: Any = None
    """What the script returned."""
    reply: ReplyView | None = None
    """The answer that it chose for its caller."""
    variables: dict[str, Any] | None = None
    """The variables as it left them."""
    logs: list[str]
    """What it wrote with `log`."""
    sends: int
    cpu_seconds: float
    peak_memory_bytes: int
    seed: int
    now: Moment
    """What its clock said."""
    run_id: str | None = None


class FailureView(View):
    """Why a run did not come to its end: the reason, what to change, and the place in the script."""

    reason: Reason
    """Which kind of failure it is."""
    message: str
    """What went wrong, and what to change."""
    line: int | None = None
    column: int | None = None


def to_view(run: Run) -> CodeRunView:
    """Show a run that ended well; raises `Failed` for text that no JSON can hold."""
    view = CodeRunView.model_validate(run)
    try:
        write_json(view)
    except PydanticSerializationError as error:
        raise Failed(f"output: the result can't be written as JSON: {error}") from error
    return view


def sentence(failure: Failure) -> str:
    """Return a failure as one sentence."""
    place = f"line {failure.line}, " if failure.line is not None else ""
    place += f"column {failure.column}, " if failure.column is not None else ""
    return f"{place}{failure.reason}: {failure.message}"
