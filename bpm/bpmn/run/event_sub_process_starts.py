"""What the process itself listens for: the starts of its own event sub-processes."""

from bpm.bpmn.run.run import Run
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
