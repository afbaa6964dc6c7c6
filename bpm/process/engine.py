"""`advance`: the whole engine as one pure function.

    instance, effects = advance(process, instance, trigger, now)

It takes an instance from one rest to the next: every token moves until it waits for something outside or is gone.
It reads no clock, no database and no network, and never changes its arguments; the same arguments give the same
answer. The caller stores the instance and carries out the effects in one transaction (see `effects`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bpm.expressions import EvaluationError

from .compile import CompiledProcess
from .effects import Cancelled, Effect, Ignored, OpenConditionWait
from .run import Run
from .state import PROCESS, ROOT, Instance, Status, Token, Wait
from .triggers import (
    Cancel,
    CompleteTask,
    CompleteUserTask,
    Escalated,
    FailTask,
    MessageArrived,
    Retry,
    SignalArrived,
    Skip,
    Start,
    TimerFired,
    Trigger,
)

MAX_STEPS = 1000

_TASKS = ("command", "script", "decision", "call")
_ANSWERS: Mapping[type[Trigger], tuple[str, ...]] = {
    CompleteTask: _TASKS,
    FailTask: _TASKS,
    Escalated: ("call",),
    SignalArrived: ("signal",),
    TimerFired: ("timer",),
    MessageArrived: ("message",),
    CompleteUserTask: ("user",),
    Retry: ("incident",),
    Skip: ("incident",),
}


def advance(
    process: CompiledProcess, instance: Instance, trigger: Trigger, now: datetime, *, max_steps: int = MAX_STEPS
) -> tuple[Instance, tuple[Effect, ...]]:
    """Apply a trigger at the time `now` (aware); give the new instance and the effects in their order.

    A trigger that does not fit gives the same instance and one Ignored. At most `max_steps` elements are activated;
    a token that would need more becomes an incident, which a Retry grants as many steps again.
    """
    if reason := _misfit(process, instance, trigger):
        return instance, (Ignored(reason),)
    run = Run(process, instance, now, max_steps)
    _apply(process, run, trigger)
    run.proceed()
    return run.finish(), tuple(run.effects)


def _misfit(process: CompiledProcess, instance: Instance, trigger: Trigger) -> str:
    """Why a trigger does not fit; empty if it does."""
    if instance.status.is_final:
        return f"the instance is {instance.status}"
    if isinstance(trigger, Start):
        return _start_misfit(process, instance, trigger)
    if isinstance(trigger, Cancel):
        return ""
    wait = instance.waits.get(trigger.wait_id)
    if wait is None:
        return f"nothing waits under {trigger.wait_id} any more"
    if wait.kind not in _ANSWERS[type(trigger)]:
        return f"{trigger.wait_id} is a wait of kind {wait.kind}, which {type(trigger).__name__} does not answer"
    if isinstance(trigger, CompleteTask | FailTask) and trigger.attempt != wait.attempt:
        return f"attempt {trigger.attempt} of {trigger.wait_id} is over; attempt {wait.attempt} is under way"
    return ""


def _start_misfit(process: CompiledProcess, instance: Instance, trigger: Start) -> str:
    if instance.version:
        return "the instance has started already"
    if trigger.element is not None:
        starts = process.start_elements
        return "" if trigger.element in starts else f"process '{process.id}' has no start event '{trigger.element}'"
    if trigger.message in process.starts:
        return ""
    if trigger.message is None:
        if not process.start_messages:
            return f"process '{process.id}' starts by a timer or a signal only"
        return f"process '{process.id}' starts by message only: {', '.join(process.start_messages)}"
    return f"process '{process.id}' has no start event for message '{trigger.message}'"


def _apply(process: CompiledProcess, run: Run, trigger: Trigger) -> None:
    if isinstance(trigger, Start):
        _start(process, run, trigger)
        return
    if isinstance(trigger, Cancel):
        run.end(Status.CANCELLED)
        run.effects.append(Cancelled(trigger.reason))
        return
    wait = run.instance.waits[trigger.wait_id]
    token = run.token_of(wait)
    match trigger:
        case CompleteTask(result=result, variables=variables):
            _complete(run, wait, token, result, variables)
        case FailTask(message=message, code=code):
            _fail(run, wait, token, message, code)
        case TimerFired():
            _complete(run, wait, token, None, {})
        case MessageArrived(payload=payload) | SignalArrived(payload=payload):
            _complete(run, wait, token, payload, {})
        case Escalated(code=code):
            run.throw("escalation", token, code, "")
        case CompleteUserTask(variables=variables):
            _complete(run, wait, token, variables, {})
        case Retry(variables=variables):
            run.write(token.scope, variables)
            _retry(run, wait, token)
        case Skip(variables=variables):
            run.answerer(wait).skip(run, token, wait, variables)


def _start(process: CompiledProcess, run: Run, trigger: Start) -> None:
    """Write the variables, begin to listen, and put a token at the start."""
    run.instance.caller = trigger.caller
    run.write(ROOT, trigger.variables)
    for start in process.event_starts:
        start.arm(run, PROCESS)
    run.spawn(process.starts[trigger.message] if trigger.element is None else trigger.element, ROOT)


def _complete(run: Run, wait: Wait, token: Token, result: Any, values: Mapping[str, Any]) -> None:
    """Let the element that waited go on; results it cannot map make an incident that keeps them."""
    try:
        run.answerer(wait).complete(run, token, wait, result, values)
    except EvaluationError as error:
        run.fail_wait(wait, str(error), "complete", result, dict(values))


def _fail(run: Run, wait: Wait, token: Token, message: str, code: str | None) -> None:
    """Hand a failure to what catches it, else make it an incident."""
    if not run.catches("error", token, code):
        run.fail_wait(wait, message, "job", code=code)
        return
    run.record(wait.element, "failed", token, {"message": message, "code": code})
    run.throw("error", token, code, message)


def _retry(run: Run, wait: Wait, token: Token) -> None:
    """Take an incident up where it stopped."""
    phase, *data = wait.data
    node = run.answerer(wait)
    match phase:
        case "job":
            try:
                node.retry(run, token, wait)
            except EvaluationError as error:
                run.fail_wait(wait, str(error), "job")
        case "complete":
            _complete(run, wait, token, *data)
        case "emptied":
            run.close(wait)
            run.empty(data[0])
        case "condition":
            run.replace(wait._replace(kind="condition", data=False))
            run.effects.append(OpenConditionWait(wait.id, wait.element))
            run.changed = True
        case "leave":
            run.close(wait)
            run.leave(node, token)
        case "join":
            run.close(wait)
        case _:
            run.close(wait)
            run.again(token)
