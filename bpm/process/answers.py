"""What an answer does to the wait that it is for."""

from collections.abc import Mapping
from typing import Any

from bpm.expressions import EvaluationError

from .run import Run
from .run.catching import is_caught, throw
from .run.conditions import watch_again
from .run.listening import listen_again
from .state import Token, Wait


def complete(run: Run, wait: Wait, token: Token, result: Any, values: Mapping[str, Any]) -> None:
    """Let the element that waited go on; results it cannot map make an incident that keeps them."""
    try:
        run.answerer(wait).complete(run, token, wait, result, values)
    except EvaluationError as error:
        run.fail_wait(wait, str(error), "complete", result, dict(values))


def fail(run: Run, wait: Wait, token: Token, message: str, code: str | None) -> None:
    """Hand a failure to what catches it, else make it an incident."""
    if not is_caught(run, "error", token, code):
        run.fail_wait(wait, message, "job", code=code)
        return
    before = len(run.effects)
    run.record(wait.element, "failed", token, {"message": message, "code": code})
    try:
        throw(run, "error", token, code, message)
    except EvaluationError as error:
        del run.effects[before:]
        run.fail_wait(wait, f"{message}; what caught it failed, too: {error}", "job", code=code)


def escalate(run: Run, wait: Wait, token: Token, code: str | None) -> None:
    """Hand an escalation of the called instance to what catches it; nobody has to, so a failure is only recorded."""
    try:
        throw(run, "escalation", token, code, "")
    except EvaluationError as error:
        message = f"what caught the escalation failed: {error}"
        run.record(wait.element, "failed", token, {"message": message, "code": code})


def skip(run: Run, wait: Wait, token: Token, variables: Mapping[str, Any]) -> None:
    """Give up an incident; one that can't even be left stays, with the newer reason."""
    try:
        run.answerer(wait).skip(run, token, wait, variables)
    except EvaluationError as error:
        phase, *data = wait.data
        run.fail_wait(wait, str(error), phase, *data)


def retry(run: Run, wait: Wait, token: Token) -> None:
    """Take an incident up in the phase where it stopped."""
    phase, *data = wait.data
    match phase:
        case "job":
            _ask_again(run, wait, token)
        case "complete":
            complete(run, wait, token, *data)
        case "condition":
            watch_again(run, wait)
        case "emptied":
            run.waits.close(wait)
            run.tokens.emptied.append(data[0])
        case "leave":
            run.waits.close(wait)
            run.leave(run.nodes[token.element], token)
        case "listen":
            run.waits.close(wait)
            listen_again(run, token)
        case "join":
            run.waits.close(wait)
        case _:
            run.waits.close(wait)
            run.tokens.again(token)


def _ask_again(run: Run, wait: Wait, token: Token) -> None:
    """Ask for failed work again; parameters it cannot evaluate any more make it an incident again."""
    try:
        run.answerer(wait).retry(run, token, wait)
    except EvaluationError as error:
        run.fail_wait(wait, str(error), "job")
