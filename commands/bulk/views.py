"""How bulk jobs are shown."""

from typing import Annotated, Any

from bpm.bulk.tables import RowState, State
from bpm.bus import Moment, ShownWith, View
from commands.bulk.actions import ActionName

Content = ShownWith("messages:read")
"""What somebody chose rows by, such as words that are looked for."""


class BulkJobView(View):
    """A bulk job: `total` rows were chosen of all that `matched`; `done`, `refused` and `left` say how far it is.

    `selection` is what they were chosen by, `fields` what all its messages have. `error` says why it `failed`.
    """

    id: str
    action: ActionName
    selection: Annotated[dict[str, Any], Content]
    fields: Annotated[dict[str, Any], Content]
    state: State
    matched: int
    total: int
    done: int
    refused: int
    left: int
    error: str | None
    asker_name: str
    correlation_id: str
    created_at: Moment
    started_at: Moment | None
    completed_at: Moment | None


class BulkRowView(View):
    """One row of a bulk job: the id of what it is about, and what came of it; `errors` say why it was refused.

    In a job that ended early, one that is `waiting` was not touched. `errors` are shown to those who may read what the
    row is about.
    """

    number: int
    ref: str
    state: RowState
    errors: list[str] | None
    completed_at: Moment | None
