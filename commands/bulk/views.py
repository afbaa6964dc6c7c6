"""How bulk jobs are shown."""

from typing import Any

from bpm.bulk.tables import RowState, State
from bpm.bus import Moment, View
from commands.bulk.actions import ActionName


class BulkJobView(View):
    """A bulk job: `total` rows were chosen of all that `matched`; `done`, `refused` and `left` say how far it is.

    `selection` is what they were chosen by, `fields` what all its messages have. `error` says why it `failed`.
    """

    id: str
    action: ActionName
    selection: dict[str, Any]
    fields: dict[str, Any]
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

    In a job that ended early, one that is `waiting` was not touched.
    """

    number: int
    ref: str
    state: RowState
    errors: list[str] | None
    completed_at: Moment | None
