"""What `advance` asks its caller to do: the second part of its answer, in order.

SendCommand, RunScript, OpenTimer, OpenMessageWait, OpenUserTask and Incident open a wait, or replace the open
one of the same `wait_id` (an incident takes a task's place; a retry puts the task back with the next attempt).
Every wait ends with exactly one CloseWait, the answered one too. A caller that keeps one row for each wait
therefore upserts by `wait_id` on the six and deletes on CloseWait.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

NOTHING: Mapping[str, Any] = MappingProxyType({})

Event = Literal["activated", "completed", "terminated", "failed", "retried", "skipped"]


@dataclass(frozen=True, slots=True)
class SendCommand:
    """Send a message on the bus; answer with CompleteTask(wait_id, attempt, data) or FailTask.

    `is_mapped` False: the diagram maps nothing, `parameters` are all variables the task can see, of which the
    command takes the ones that are its fields. `retries` None: the caller's own policy.
    """

    wait_id: int
    attempt: int
    element_id: str
    command: str
    parameters: Mapping[str, Any]
    is_mapped: bool = True
    retries: int | None = None


@dataclass(frozen=True, slots=True)
class RunScript:
    """Run a script in the sandbox; answer with CompleteTask(wait_id, attempt, result, changes) or FailTask."""

    wait_id: int
    attempt: int
    element_id: str
    source: str
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OpenTimer:
    """Send TimerFired(wait_id) at `due` (aware, UTC); a moment in the past is due at once."""

    wait_id: int
    element_id: str
    due: datetime


@dataclass(frozen=True, slots=True)
class OpenMessageWait:
    """Send MessageArrived(wait_id, payload) when the message comes; `key` None: it must name this instance."""

    wait_id: int
    element_id: str
    name: str
    key: str | None


@dataclass(frozen=True, slots=True)
class OpenUserTask:
    """Offer a task to people; answer with CompleteUserTask(wait_id, variables).

    `variables` is the task's input mapping, None if it has none: the form then shows the instance's.
    """

    wait_id: int
    element_id: str
    name: str
    form_key: str | None = None
    assignee: str | None = None
    candidate_users: tuple[str, ...] = ()
    candidate_groups: tuple[str, ...] = ()
    due: datetime | None = None
    priority: int | None = None
    variables: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CloseWait:
    """A wait ended: it was answered, or something else happened first and its job, timer or task is void."""

    wait_id: int
    element_id: str
    reason: Literal["answered", "cancelled"]


@dataclass(frozen=True, slots=True)
class Incident:
    """Somebody has to look: Retry, Skip or Cancel. The token stays at the element meanwhile."""

    wait_id: int
    element_id: str
    message: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class EmitMessage:
    """Publish a message for other instances to correlate; nothing answers it."""

    element_id: str
    name: str
    key: str | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Completed:
    """The instance came to its end with these variables."""

    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The instance was cancelled."""

    reason: str


class History(NamedTuple):
    """What happened to a token at an element.

    `event` is activated (the token rests), completed, terminated, failed, retried or skipped; a token that passes
    without resting has only a `completed`. `values` are what went in when activated, and the variables written
    when completed; `flows` the sequence flows taken.
    """

    element_id: str
    event: Event
    when: datetime
    token: int
    values: Mapping[str, Any] = NOTHING
    flows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """The trigger was stale or does not fit; nothing changed, not even the version."""

    reason: str


Effect = (
    SendCommand
    | RunScript
    | OpenTimer
    | OpenMessageWait
    | OpenUserTask
    | CloseWait
    | Incident
    | EmitMessage
    | Completed
    | Cancelled
    | History
    | Ignored
)
