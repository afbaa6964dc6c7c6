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
    """What is done with each row."""
    selection: Annotated[dict[str, Any], Content]
    """What the rows were chosen by."""
    fields: Annotated[dict[str, Any], Content]
    """What all its messages have."""
    state: State
    """How far it is."""
    matched: int
    """How many rows matched."""
    total: int
    """How many were chosen."""
    done: int
    """How many are done."""
    refused: int
    """How many were refused."""
    left: int
    """How many are left."""
    error: str | None
    asker_name: str
    """On whose behalf it works."""
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
    """Which row it is, from 1."""
    ref: str
    """The id of what it is about."""
    state: RowState
    """What came of it."""
    errors: list[str] | None
    completed_at: Moment | None
