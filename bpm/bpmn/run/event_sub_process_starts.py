"""When event sub-processes listen: those of the process from its start on, each until its scope is taken over."""

from bpm.bpmn.run.error_propagation import event_starts
from bpm.bpmn.run.run import Run
from bpm.bpmn.run.scopes import AD_HOC, INTERRUPTED
from bpm.bpmn.state import PROCESS, Token
from bpm.expressions import EvaluationError


def listen(run: Run) -> str:
    """Open the waits of the process's event sub-processes; gives why they can't be opened, then none is."""
    before = len(run.effects)
    try:
        for start in run.model.event_starts:
            start.arm(run, PROCESS)
    except EvaluationError as error:
        run.waits.forget(PROCESS)
        del run.effects[before:]
        return f"an event sub-process can't listen: {error}"
    return ""


def listen_again(run: Run, token: Token) -> None:
    """Try once more for a token that rests at the start event, then let it go on."""
    if problem := listen(run):
        run.fail(token, problem, "listen")
    else:
        run.tokens.again(token)


def take_over(run: Run, scope: int) -> None:
    """Let a scope's event sub-processes listen no more: one of them, or what undoes the scope, takes its place."""
    for wait in run.waits.of(run.scopes.host(scope)):
        if wait.kind == AD_HOC or run.nodes[wait.element] in event_starts(run, scope):
            run.waits.close(wait, "cancelled")
    run.scopes.note(scope, INTERRUPTED)
