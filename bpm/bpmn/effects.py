"""What `advance` asks its caller to do: the second part of its answer, in order.

SendCommand, RunScript, Decide, CallProcess, OpenTimer, OpenMessageWait, OpenSignalWait, OpenConditionWait,
OpenUserTask, OpenAdHoc, Pause and Incident (`OPENERS`) open a wait, or replace the open one of the same `wait_id` (an
incident takes a task's place; a retry puts the task back with the next attempt). Every wait ends with exactly one
CloseWait, the answered one too. A caller that keeps one row for each wait therefore upserts by `wait_id` on the openers
and deletes on CloseWait.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args

from bpm.bpmn.binding import LATEST, Binding
from bpm.bpmn.state import Caller

NOTHING: Mapping[str, Any] = MappingProxyType({})

Event = Literal[
    "activated",
    "completed",
    "repeated",
    "terminated",
    "failed",
    "retried",
    "skipped",
    "changed",
    "happened",
    "listened",
]


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
class Decide:
    """Evaluate a DMN decision; answer with CompleteTask(wait_id, attempt, result) or FailTask.

    `shape` is empty for the result as DMN defines it, or one of Camunda 7's ways to map it: singleEntry,
    singleResult, collectEntries, resultList.
    """

    wait_id: int
    attempt: int
    element_id: str
    decision: str
    shape: str
    variables: Mapping[str, Any]
    binding: Binding = LATEST


@dataclass(frozen=True, slots=True)
class CallProcess:
    """Start an instance of another process, with this `caller`; answer with its variables by CompleteTask.

    `binding` says which version; `inherits_key`: the called instance has the business key of the calling one. The
    called instance's `Thrown` is answered by FailTask with its code, or by Escalated. When the wait is closed as
    cancelled, the called instance is to be cancelled.
    """

    wait_id: int
    attempt: int
    element_id: str
    process: str
    binding: Binding
    variables: Mapping[str, Any]
    business_key: str | None
    caller: Caller
    inherits_key: bool = False


@dataclass(frozen=True, slots=True)
class TellCalled:
    """Tell the called instance that is waited for what is caught around it now: send it CallerChanged(caller)."""

    wait_id: int
    element_id: str
    caller: Caller


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
class OpenSignalWait:
    """Send SignalArrived(wait_id, payload) whenever the signal of this name is broadcast."""

    wait_id: int
    element_id: str
    name: str


@dataclass(frozen=True, slots=True)
class OpenConditionWait:
    """Nothing to do: the engine looks itself whether the condition holds, whenever variables are written."""

    wait_id: int
    element_id: str


@dataclass(frozen=True, slots=True)
class OpenUserTask:
    """Offer a task to people; answer with CompleteUserTask(wait_id, variables).

    `variables` is the task's input mapping, None if it has none: the form then shows the instance's. `schema` is
    the JSON Schema that the form's values must fit, `form` the id of a deployed form with which version is meant.
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
    schema: Any = None
    form: tuple[str, Binding] | None = None


@dataclass(frozen=True, slots=True)
class OpenAdHoc:
    """Somebody chooses what is done: send ActivateActivities(wait_id, …) with some of the `activities`."""

    wait_id: int
    element_id: str
    name: str
    activities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pause:
    """The trigger is not through yet: send GoOn(wait_id) in a transaction of its own."""

    wait_id: int
    element_id: str


@dataclass(frozen=True, slots=True)
class CloseWait:
    """A wait ended: it was answered, or something else happened first and its job, timer or task is void."""

    wait_id: int
    element_id: str
    reason: Literal["answered", "cancelled"]
    kind: str = ""


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
class EmitSignal:
    """Broadcast a signal to every instance that listens, this one too, and to the processes it starts."""

    element_id: str
    name: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Thrown:
    """Tell the calling instance of an error (this instance has ended) or an escalation (it goes on).

    `variables` are those of the process at that moment.
    """

    kind: Literal["error", "escalation"]
    code: str | None
    message: str
    variables: Mapping[str, Any]


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
    without resting has only a `completed`. One of several events of an element has `happened`; a listener beside an
    element has `listened`. Each turn of a repeated activity is completed, all of them together are `repeated`.
    `changed` is the process itself, whose variables somebody has set, whose tokens somebody has moved, or which
    goes on with events that listen anew. `values` are
    what went in when activated, and the variables written when completed; `flows` the sequence flows taken. With a
    `command` the values are all variables, of which it is given those that are its fields.
    """

    element_id: str
    event: Event
    when: datetime
    token: int
    values: Mapping[str, Any] = NOTHING
    flows: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """The trigger was stale or does not fit; nothing changed, not even the version."""

    reason: str


Opener = (
    SendCommand
    | RunScript
    | Decide
    | CallProcess
    | OpenTimer
    | OpenMessageWait
    | OpenSignalWait
    | OpenConditionWait
    | OpenUserTask
    | OpenAdHoc
    | Pause
    | Incident
)
Effect = Opener | CloseWait | TellCalled | EmitMessage | EmitSignal | Thrown | Completed | Cancelled | History | Ignored
OPENERS = get_args(Opener)
