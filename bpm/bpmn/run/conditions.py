"""Conditional events: asked whenever variables were written (BPMN 2.0.2, 10.5.5)."""

from bpm.bpmn.effects import NOTHING, OpenConditionWait
from bpm.bpmn.run.run import Run
from bpm.bpmn.state import Token, Wait, element_of
from bpm.expressions import EvaluationError


def watch(run: Run, wait_key: str, token: Token, *, was: bool) -> None:
    """Open a wait for a condition to become true.

    `was`: it holds now; it fires at the next change from false to true.
    """
    run.effects.append(OpenConditionWait(run.waits.open("condition", wait_key, token, was), element_of(wait_key)))
    run.variables.changed = True


def watch_again(run: Run, wait: Wait) -> None:
    """Take up a condition that could not be evaluated."""
    run.waits.replace(wait._replace(kind="condition", data=False))
    run.effects.append(OpenConditionWait(wait.id, element_of(wait.element)))
    run.variables.changed = True


def fire_condition(run: Run) -> bool:
    """Let the first event go on whose condition has become true since variables were written; tells whether one did."""
    if not run.variables.changed:
        return False
    if "condition" in run.instance.absent.waits:
        run.gather()
    for wait in run.waits.of_kind("condition"):
        run.steps.spend(1)
        if _fires(run, wait):
            return True
    run.variables.changed = False
    return False


def _fires(run: Run, wait: Wait) -> bool:
    node = run.answerer(wait)
    try:
        holds = node.holds(run, wait)
        if holds and not wait.data:
            run.steps.steps_left -= 1
            node.complete(run, run.waits.token(wait), wait, None, NOTHING)
            return True
    except EvaluationError as error:
        run.fail_wait(wait, str(error), "condition")
        return False
    if holds is not wait.data:
        run.waits.replace(wait._replace(data=holds))
    return False
