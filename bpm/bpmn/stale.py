"""Whether a trigger fits an instance: a stale or mistaken one changes nothing."""

from collections.abc import Mapping

from bpm.bpmn.compiler.compile import CompiledProcess
from bpm.bpmn.state import Instance
from bpm.bpmn.triggers import (
    ActivateActivities,
    AskNow,
    CallerChanged,
    Cancel,
    ChangeListeners,
    CompleteTask,
    CompleteUserTask,
    Escalated,
    FailTask,
    GoOn,
    MessageArrived,
    MoveTokens,
    Retry,
    SetVariables,
    SignalArrived,
    Skip,
    Start,
    Stop,
    TimerFired,
    Trigger,
)

_TASKS = ("command", "script", "decision", "call")
_ANSWERS: Mapping[type[Trigger], tuple[str, ...]] = {
    CompleteTask: _TASKS,
    FailTask: _TASKS,
    AskNow: ("decision", "call"),
    Escalated: ("call",),
    SignalArrived: ("signal",),
    TimerFired: ("timer",),
    GoOn: ("pause",),
    MessageArrived: ("message",),
    CompleteUserTask: ("user",),
    ActivateActivities: ("adHoc",),
    Retry: ("incident",),
    Skip: ("incident",),
    Stop: (*_TASKS, "pause", "signal", "timer", "message", "user"),
}
"""The kinds of wait that each trigger answers."""


def find_misfit(process: CompiledProcess, instance: Instance, trigger: Trigger) -> str:
    """Why a trigger does not fit; empty if it does."""
    if instance.status.is_final:
        return f"the instance is {instance.status}"
    if isinstance(trigger, Start):
        return _misfit_of_start(process, instance, trigger)
    if isinstance(trigger, CallerChanged):
        return "it knows that already" if trigger.caller == instance.caller else ""
    if isinstance(trigger, Cancel | SetVariables | ChangeListeners):
        return "" if instance.version else "the instance has not started yet"
    if isinstance(trigger, MoveTokens):
        return "the instance is on its way; move its tokens when it rests" if instance.pending else ""
    wait = instance.waits.get(trigger.wait_id)
    if wait is None:
        is_over = 0 < trigger.wait_id <= instance.counter
        return f"nothing waits under {trigger.wait_id} any more" if is_over else f"there is no wait {trigger.wait_id}"
    if wait.kind not in _ANSWERS[type(trigger)]:
        return f"{trigger.wait_id} is a wait of kind {wait.kind}, which {type(trigger).__name__} does not answer"
    if isinstance(trigger, CompleteTask | FailTask | AskNow) and trigger.attempt != wait.attempt:
        return f"attempt {trigger.attempt} of {trigger.wait_id} is over; attempt {wait.attempt} is under way"
    return ""


def _misfit_of_start(process: CompiledProcess, instance: Instance, trigger: Start) -> str:
    if instance.version:
        return "the instance has started already"
    if trigger.element is not None:
        starts = process.start_elements
        return "" if trigger.element in starts else f"process '{process.id}' has no start event '{trigger.element}'"
    if trigger.message in process.starts:
        return ""
    if trigger.message is None:
        if not process.start_messages:
            return f"process '{process.id}' starts by a timer, a signal or a condition only"
        return f"process '{process.id}' starts by message only: {', '.join(process.start_messages)}"
    return f"process '{process.id}' has no start event for message '{trigger.message}'"
