"""What can happen to an instance: the third argument of `advance`.

A trigger that answers a wait names it by id. When that wait is gone, is of another kind or has moved on to a
later attempt, the trigger is stale and `advance` changes nothing (see `effects.Ignored`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bpm.bpmn.state import Caller, Instance, element_of
from bpm.errors import Failed


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a new instance at its none start event, or at the one for the message of that name.

    `element` is the id of another start event to begin at: a timer's or a signal's. `caller` is given by a
    CallProcess. `starter` is who begins it, for the variable that the start event names for that.
    """

    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    message: str | None = None
    element: str | None = None
    caller: Caller | None = None
    starter: str | None = None


@dataclass(frozen=True, slots=True)
class CompleteTask:
    """A command, script, decision or called process succeeded; `variables` are the ones a script changed."""

    wait_id: int
    attempt: int
    result: Any = None
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class FailTask:
    """A command, script, decision or called process failed for good; retries before that are the caller's.

    An error boundary event whose error code equals `code`, or one without a code, catches it; otherwise the task
    becomes an incident. `thrown_with` are the variables of a called process that threw the error.
    """

    wait_id: int
    attempt: int
    message: str
    code: str | None = None
    thrown_with: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AskNow:
    """Ask for a decision or a process that was put off: with the variables as they are now, under the same attempt."""

    wait_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer is due; `has_rested`: at least a second after it was set, so that the instance does not run hot."""

    wait_id: int
    has_rested: bool = True


@dataclass(frozen=True, slots=True)
class GoOn:
    """Take up a trigger where its last piece stopped; see `effects.Pause`."""

    wait_id: int


@dataclass(frozen=True, slots=True)
class MessageArrived:
    """A message was correlated to this wait; an object's members become variables unless the task says otherwise."""

    wait_id: int
    payload: Any = None


@dataclass(frozen=True, slots=True)
class SignalArrived:
    """A signal that this wait listens for was broadcast."""

    wait_id: int
    payload: Any = None


@dataclass(frozen=True, slots=True)
class Escalated:
    """The called instance that this wait waits for has thrown an escalation, with its variables, and goes on."""

    wait_id: int
    code: str | None = None
    thrown_with: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CompleteUserTask:
    """A person completed the task; `variables` are what the form gave."""

    wait_id: int
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class ActivateActivities:
    """Somebody begins activities of an ad hoc sub-process; `is_last`: the last ones there."""

    wait_id: int
    activities: tuple[str, ...]
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """Try an incident again, with the variables set first (they may mend its cause)."""

    wait_id: int
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave the element of an incident as if it had completed, with these variables for its result."""

    wait_id: int
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Stop:
    """What came for this wait would let the instance grow too large: make it an incident that keeps it."""

    wait_id: int
    message: str
    payload: Any = None


@dataclass(frozen=True, slots=True)
class SetVariables:
    """Somebody, called `by`, corrects variables of the process while it runs; conditions are asked at once."""

    variables: Mapping[str, Any]
    by: str


@dataclass(frozen=True, slots=True)
class MoveTokens:
    """Somebody, called `by`, takes away the tokens at some elements and puts new ones before others."""

    cancel: tuple[str, ...]
    start_before: tuple[str, ...]
    variables: Mapping[str, Any]
    by: str


@dataclass(frozen=True, slots=True)
class ChangeListeners:
    """The instance goes on with another version of its process, for somebody called `by`.

    `ended` are the waits of events that this version lacks, `begun` the keys of events that begin to listen, each with
    the id of the token that they listen beside, 0 for the process itself. `tells_called`: what is caught around call
    activities may have changed.
    """

    ended: tuple[int, ...]
    begun: tuple[tuple[int, str], ...]
    tells_called: bool
    by: str

    def names(self, instance: Instance) -> tuple[list[str], list[str]]:
        """The ids of the events that begin and of those that end to listen, in an instance with all its waits."""
        begins = [element_of(key) for _, key in self.begun]
        ends = [element_of(instance.waits[wait_id].element) for wait_id in self.ended]
        return list(dict.fromkeys(begins)), list(dict.fromkeys(ends))


@dataclass(frozen=True, slots=True)
class CallerChanged:
    """What the instances that call this one catch has changed."""

    caller: Caller


@dataclass(frozen=True, slots=True)
class Cancel:
    """End the instance, whatever it is doing."""

    reason: str = ""


Answer = (
    CompleteTask
    | FailTask
    | AskNow
    | TimerFired
    | MessageArrived
    | SignalArrived
    | Escalated
    | CompleteUserTask
    | ActivateActivities
    | Retry
    | Skip
    | Stop
)
Trigger = Start | Answer | GoOn | SetVariables | MoveTokens | ChangeListeners | CallerChanged | Cancel


def stop_of(trigger: Trigger, message: str) -> Stop:
    """Return what makes an incident of a trigger; raises `Failed` for one that a person sent to mend something."""
    match trigger:
        case MessageArrived(wait_id, payload) | SignalArrived(wait_id, payload) | CompleteUserTask(wait_id, payload):
            return Stop(wait_id, message, payload)
        case TimerFired(wait_id=wait_id) | GoOn(wait_id=wait_id) | Escalated(wait_id=wait_id):
            return Stop(wait_id, message)
        case CompleteTask(wait_id=wait_id) | FailTask(wait_id=wait_id) | AskNow(wait_id=wait_id):
            return Stop(wait_id, message)
        case Start() | SetVariables() | MoveTokens() | ChangeListeners() | CallerChanged() | Cancel():
            raise Failed(message)
        case ActivateActivities() | Retry() | Skip() | Stop():
            raise Failed(message)
