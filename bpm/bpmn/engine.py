"""`advance`: the whole engine as one pure function.

    instance, effects = advance(process, instance, trigger, now)

It takes an instance from one rest to the next: every token moves until it waits for something outside or is gone.
It reads no clock, no database and no network, and never changes its arguments; the same arguments give the same
answer. The caller stores the instance and carries out the effects in one transaction (see `effects`).
"""

from collections import defaultdict
from datetime import datetime

from bpm.bpmn.answers import ask_now, complete, escalate, fail, retry, skip, stop
from bpm.bpmn.compiler.compile import CompiledProcess
from bpm.bpmn.effects import NOTHING, Cancelled, Completed, Effect, Ignored
from bpm.bpmn.limits import EngineLimits, Limits
from bpm.bpmn.listener_changes import change_caller, change_listeners
from bpm.bpmn.moves import move_tokens
from bpm.bpmn.run import Run
from bpm.bpmn.run.conditions import fire_condition
from bpm.bpmn.run.continuation import resume_continuation, save_continuation
from bpm.bpmn.run.event_sub_process_starts import listen
from bpm.bpmn.run.step_budget import LimitExceeded, WorkBudget
from bpm.bpmn.stale import find_misfit
from bpm.bpmn.state import PROCESS, ROOT, Instance, Status, Token, Wait
from bpm.bpmn.triggers import (
    ActivateActivities,
    Answer,
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
from bpm.expressions import EvaluationError

DEFAULT_LIMITS = EngineLimits()
MACHINE_WORK = frozenset({"command", "script", "pause"})
"""The kinds of wait that a worker answers by itself."""


def advance(
    process: CompiledProcess,
    instance: Instance,
    trigger: Trigger,
    now: datetime,
    limits: Limits = DEFAULT_LIMITS,
    budget: WorkBudget | None = None,
) -> tuple[Instance, tuple[Effect, ...]]:
    """Apply a trigger at the time `now` (aware); give the new instance and the effects in their order.

    A trigger that does not fit gives the same instance and one Ignored. An instance that would go over its `limits`
    stops with one incident, whose Retry grants as much again. One that has used up the `budget` of its transaction
    pauses: it stops with a Pause, and goes on from there with the next trigger.
    """
    if reason := find_misfit(process, instance, trigger):
        return instance, (Ignored(reason),)
    run = Run(process, instance, now, limits, budget)
    resume_continuation(run, trigger)
    _apply(run, process, trigger)
    _move_tokens(run)
    while run.steps.goes_on() and (_end_scope(run) or fire_condition(run) or _merge_tokens(run)):
        _move_tokens(run)
    _settle(run)
    return run.instance, tuple(run.effects)


def _apply(run: Run, process: CompiledProcess, trigger: Trigger) -> None:
    """Do what the trigger itself means; all that follows from it is the tokens' business."""
    match trigger:
        case Start():
            _start(run, process, trigger)
        case Cancel(reason=reason):
            run.end(Status.CANCELLED)
            run.effects.append(Cancelled(reason))
        case GoOn():
            pass
        case SetVariables(variables=variables, by=by):
            run.variables.write(ROOT, variables)
            run.record(process.id, "changed", PROCESS, {"by": by, "variables": dict(variables)})
        case MoveTokens():
            move_tokens(run, process, trigger)
        case ChangeListeners():
            change_listeners(run, process, trigger)
        case CallerChanged(caller=caller):
            change_caller(run, caller)
        case Stop(message=message) if trigger.wait_id not in run.instance.waits:  # that of the pause
            run.steps.halt(message)
        case _:
            _answer(run, run.instance.waits[trigger.wait_id], trigger)


def _answer(run: Run, wait: Wait, trigger: Answer) -> None:
    """Do what a trigger means for the wait that it is for."""
    token = run.waits.token(wait)
    match trigger:
        case CompleteTask(result=result, variables=variables):
            complete(run, wait, token, result, variables)
        case FailTask(message=message, code=code, thrown_with=thrown_with):
            fail(run, wait, token, message, code, thrown_with)
        case AskNow():
            ask_now(run, wait, token)
        case TimerFired():
            complete(run, wait, token, None, NOTHING)
        case MessageArrived(payload=payload) | SignalArrived(payload=payload):
            complete(run, wait, token, payload, NOTHING)
        case Escalated(code=code, thrown_with=thrown_with):
            escalate(run, wait, token, code, thrown_with)
        case CompleteUserTask(variables=variables):
            complete(run, wait, token, variables, NOTHING)
        case ActivateActivities(activities=activities, variables=variables, is_last=is_last):
            run.answerer(wait).begin_inside(run, token, activities, variables, is_last=is_last)
        case Retry(variables=variables):
            run.variables.write(token.scope, variables)
            retry(run, wait, token)
        case Skip(variables=variables):
            skip(run, wait, token, variables)
        case Stop(message=message, payload=payload):
            stop(run, wait, message, payload)


def _start(run: Run, process: CompiledProcess, trigger: Start) -> None:
    """Write the variables, begin to listen, and put a token at the start."""
    run.instance.caller = trigger.caller
    run.variables.write(ROOT, {**process.data, **trigger.variables})
    element = process.starts[trigger.message] if trigger.element is None else trigger.element
    if element in process.initiators:
        run.variables.write(ROOT, {process.initiators[element]: trigger.starter})
    problem = listen(run)
    run.tokens.spawn(run.nodes[element].entry, ROOT)
    if problem:
        run.fail(run.tokens.moving.pop(), problem, "listen")


def _move_tokens(run: Run) -> None:
    """Let every token that is on its way arrive at its element, until all of them rest or are gone."""
    moving, nodes, pace = run.tokens.moving, run.nodes, run.steps
    while moving and not pace.is_stopped and pace.take_step():
        token = moving.popleft()
        before = len(run.effects)
        try:
            nodes[token.element].activate(run, token)
        except LimitExceeded as error:
            _undo(run, token, before)
            moving.appendleft(token)
            pace.halt(str(error))
        except EvaluationError as error:
            _undo(run, token, before)
            run.fail(token, str(error), "activate")


def _undo(run: Run, token: Token, before: int) -> None:
    """Take back what an activation did before it failed: its effects, and the waits and scopes it opened."""
    del run.effects[before:]
    for scope in run.scopes.of(token):
        run.scopes.close(scope)
    run.waits.forget(token)


def _end_scope(run: Run) -> bool:
    """End a scope whose last token is gone: the process or a sub-process completes; tells whether there was one."""
    if not run.tokens.emptied:
        return False
    run.steps.spend(1)
    scope = run.tokens.emptied.pop()
    if run.instance.status.is_final or not (run.tokens.is_empty(scope) or run.scopes.is_ad_hoc(scope)):
        return True
    if scope == ROOT:
        _complete_process(run)
        return True
    host = run.scopes.host(scope)
    try:
        run.nodes[host.element].emptied(run, host, scope)
    except EvaluationError as error:
        run.fail(host, str(error), "emptied", scope)
    return True


def _complete_process(run: Run) -> None:
    """End, when what listens to that has been told."""
    if run.model.ending and PROCESS.id not in run.tokens.beside:
        run.tokens.beside[PROCESS.id] = {}
        run.tokens.spawn(run.model.ending, ROOT)
        return
    run.tokens.beside.pop(PROCESS.id, None)
    run.waits.close_all(PROCESS)
    run.instance.status = Status.COMPLETED
    run.effects.append(Completed(dict(run.variables[ROOT])))


def _merge_tokens(run: Run) -> bool:
    """Let one inclusive join of each scope go on at which nothing more can arrive; tells whether one did."""
    merging = run.model.merging
    if not merging:
        return False
    held: defaultdict[int, list[str]] = defaultdict(list)
    for element, scope in run.joins.held():
        if element in merging:
            held[scope].append(element)
    run.steps.spend(len(held))
    for scope in held:
        run.gather_lacking(scope)
    merged = [any(run.nodes[element].merge(run, scope) for element in held[scope]) for scope in held]
    return any(merged)


def _settle(run: Run) -> None:
    """Find the status that the instance rests in, and count its version."""
    instance = run.instance
    instance.version += 1
    if instance.status.is_final:
        return
    if run.steps.is_stopped:
        save_continuation(run)
    elif instance.tokens and not instance.absent.waits and not any(wait.token for wait in instance.waits.values()):
        _report_deadlock(run)
    kinds = {wait.kind for wait in instance.waits.values()} | instance.absent.waits.keys()
    if "incident" in kinds:
        instance.status = Status.ERROR
    else:
        instance.status = Status.RUNNING if kinds & MACHINE_WORK else Status.WAITING


def _report_deadlock(run: Run) -> None:
    """Tokens rest at joins alone, and nothing is left that could bring the missing ones."""
    token = next(token for token in run.tokens.resting.values() if run.nodes[token.element].is_join)
    run.fail(token, "it waits for a token on another incoming flow, and none can come any more", "join")
