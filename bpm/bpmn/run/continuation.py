"""A trigger that is done in pieces: what a run takes over from the last piece, and leaves to the next."""

from bpm.bpmn.effects import Pause
from bpm.bpmn.run.run import Run
from bpm.bpmn.state import PROCESS, Pending
from bpm.bpmn.triggers import AskNow, Cancel, CompleteTask, Escalated, FailTask, GoOn, Retry, Skip, TimerFired, Trigger

HALTED = "halted"
"""The phase of the incident of an instance that stopped as a whole."""


def resume_continuation(run: Run, trigger: Trigger) -> None:
    """Go on with what the last piece left; an instance that was halted does so only by a Retry or Skip of that."""
    if _is_from_outside(trigger):
        run.steps.refill()
    pending, run.instance.pending = run.instance.pending, None
    if pending is None:
        return
    run.tokens.moving.extend(pending.moving)
    run.tokens.emptied.extend(pending.emptied)
    run.variables.changed = pending.changed
    if isinstance(trigger, GoOn):
        run.steps.steps_left = pending.steps_left
    if not pending.is_halted:
        run.waits.close(run.instance.waits[pending.wait_id])
    elif not isinstance(trigger, Retry | Skip) or trigger.wait_id != pending.wait_id:
        run.halted_by = pending.wait_id
        run.steps.is_stopped = not isinstance(trigger, Cancel)


def save_continuation(run: Run) -> None:
    """Keep what a run that stopped has not done, and open the wait that goes on with it."""
    wait_id, is_halted = run.halted_by, bool(run.halted_by or run.steps.reason)
    moving = list(run.tokens.moving)
    if not wait_id:
        element = run.nodes[moving[0].element].id if moving else run.model.id
        if is_halted:
            wait_id = run.waits.open("incident", element, PROCESS, [HALTED])
            run.report(0, wait_id, element, run.steps.reason)
        else:
            wait_id = run.waits.open("pause", element, PROCESS)
            run.effects.append(Pause(wait_id, element))
    left = max(0, run.steps.steps_left)
    run.instance.pending = Pending(moving, list(run.tokens.emptied), left, run.variables.changed, wait_id, is_halted)


def _is_from_outside(trigger: Trigger) -> bool:
    """Whether somebody else than the machine has done something, or time has passed."""
    if isinstance(trigger, TimerFired):
        return trigger.has_rested
    return not isinstance(trigger, CompleteTask | FailTask | AskNow | Escalated | GoOn)
