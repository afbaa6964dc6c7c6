"""What an answer does to the wait that it is for."""

from collections.abc import Mapping
from typing import Any

from bpm.bpmn.run import Run
from bpm.bpmn.run.conditions import watch_again
from bpm.bpmn.run.continuation import HALTED
from bpm.bpmn.run.error_propagation import is_caught, throw
from bpm.bpmn.run.event_sub_process_starts import listen_again
from bpm.bpmn.state import Token, Wait
from bpm.expressions import EvaluationError


def complete(run: Run, wait: Wait, token: Token, result: Any, values: Mapping[str, Any]) -> None:
    """Let the element that waited go on; results it cannot map make an incident that keeps them."""
    try:
        run.answerer(wait).complete(run, token, wait, result, values)
    except EvaluationError as error:
        run.fail_wait(wait, str(error), "complete", result, dict(values))


def fail(
    run: Run, wait: Wait, token: Token, message: str, code: str | None, thrown_with: Mapping[str, Any] | None
) -> None:
    """Hand a failure to what catches it, else make it an incident."""
    if not run.answerer(wait).throws or not is_caught(run, "error", token, code):
        run.fail_wait(wait, message, "job", code=code)
        return
    before = len(run.effects)
    run.record(wait.element, "failed", token, {"message": message, "code": code})
    try:
        _take_thrown(run, wait, token, thrown_with)
        throw(run, "error", token, code, message)
    except EvaluationError as error:
        del run.effects[before:]
        run.fail_wait(wait, f"{message}; what caught it failed, too: {error}", "job", code=code)


def escalate(run: Run, wait: Wait, token: Token, code: str | None, thrown_with: Mapping[str, Any] | None) -> None:
    """Hand an escalation of the called instance to what catches it; nobody has to, so a failure is only recorded."""
    try:
        _take_thrown(run, wait, token, thrown_with)
        throw(run, "escalation", token, code, "")
    except EvaluationError as error:
        message = f"what caught the escalation failed: {error}"
        run.record(wait.element, "failed", token, {"message": message, "code": code})


def _take_thrown(run: Run, wait: Wait, token: Token, thrown_with: Mapping[str, Any] | None) -> None:
    """Let a call activity map the variables of the process that threw, before anything catches."""
    if thrown_with is not None:
        run.answerer(wait).take_thrown(run, token, thrown_with)


def skip(run: Run, wait: Wait, token: Token, variables: Mapping[str, Any]) -> None:
    """Give up an incident; one that can't even be left stays, with the newer reason.

    Of an instance that was halted the element is left that comes next.
    """
    if wait.data[0] == HALTED:
        _skip_next(run, wait, variables)
        return
    try:
        run.answerer(wait).skip(run, token, wait, variables)
    except EvaluationError as error:
        phase, *data = wait.data
        run.fail_wait(wait, str(error), phase, *data)


def stop(run: Run, wait: Wait, message: str, payload: Any) -> None:
    """Make an incident of what can't be taken; work is asked for again by a retry, anything else is kept for it."""
    if wait.kind in ("command", "script", "decision", "call"):
        run.fail_wait(wait, message, "job")
    else:
        run.fail_wait(wait, message, "complete", payload, {})


def _skip_next(run: Run, wait: Wait, variables: Mapping[str, Any]) -> None:
    run.waits.close(wait)
    if not run.tokens.moving:
        return
    token = run.tokens.moving.popleft()
    node = run.nodes[token.element]
    try:
        node.skip(run, token, wait._replace(element=node.id, token=token.id), variables)
    except EvaluationError as error:
        run.fail(token, str(error), "activate")


def retry(run: Run, wait: Wait, token: Token) -> None:
    """Take an incident up in the phase where it stopped."""
    phase, *data = wait.data
    match phase:
        case "halted":
            run.waits.close(wait)
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


def ask_now(run: Run, wait: Wait, token: Token) -> None:
    """Ask for work that was put off; parameters that can't be evaluated any more make it an incident."""
    try:
        run.answerer(wait).ask(run, token, wait)
    except EvaluationError as error:
        run.fail_wait(wait, str(error), "job")


def _ask_again(run: Run, wait: Wait, token: Token) -> None:
    """Ask for failed work again; parameters it cannot evaluate any more make it an incident again."""
    try:
        run.answerer(wait).retry(run, token, wait)
    except EvaluationError as error:
        run.fail_wait(wait, str(error), "job")
