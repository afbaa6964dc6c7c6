"""What is thrown and who catches it: errors, escalations and cancellations, from the inside out.

Boundary events and event sub-processes catch, those of each level around the thrower in turn; at last the instance
that called this one (BPMN 2.0.2, 10.5.1 and 10.5.6).
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from bpm.bpmn.effects import Thrown
from bpm.bpmn.run.behavior import Catcher
from bpm.bpmn.run.run import Run
from bpm.bpmn.run.scopes import INTERRUPTED
from bpm.bpmn.state import PROCESS, ROOT, Status, Token


def throw(
    run: Run, kind: Literal["error", "escalation", "cancel"], token: Token, code: str | None, message: str
) -> bool:
    """Hand something thrown at a token to what catches it, here or in the calling instance.

    Tells whether it ended what the token was doing; it is for the thrower to go on if it did not.
    """
    found = _find_catcher(run, kind, token, code)
    if found is not None:
        catcher, host = found
        catcher.catch(run, host, code, message)
        return catcher.interrupts
    caller = run.instance.caller
    if kind == "cancel" or caller is None or not caller.catches(kind, code):
        return False
    run.effects.append(Thrown(kind, code, message, dict(run.variables[ROOT])))
    if kind == "error":
        run.end(Status.CANCELLED)
    return kind == "error"


def is_caught(run: Run, kind: str, token: Token, code: str | None) -> bool:
    """Whether something catches what a token throws."""
    caller = run.instance.caller
    return _find_catcher(run, kind, token, code) is not None or bool(caller and caller.catches(kind, code))


def caught_codes(run: Run, kind: str, token: Token) -> list[str | None]:
    """Every code of this kind that is caught around a token, null for any."""
    caller = run.instance.caller
    outside = caller.codes(kind) if caller else ()
    caught = [code for catchers, _ in _around(run, token) for one in catchers for code in one.codes(kind)]
    return list(dict.fromkeys([*caught, *outside]))


def event_starts(run: Run, scope: int) -> Sequence[Catcher[Run]]:
    """What starts the event sub-processes of a scope."""
    element = run.scopes[scope].element
    return run.model.event_starts if element is None else run.nodes[element].event_starts


def _find_catcher(run: Run, kind: str, token: Token, code: str | None) -> tuple[Catcher[Run], Token] | None:
    """The nearest catcher and its host; of one level the most precise."""
    for catchers, host in _around(run, token):
        best = max(catchers, key=lambda catcher: catcher.precision(kind, code), default=None)
        if best is not None and best.precision(kind, code):
            return best, host
    return None


def _around(run: Run, token: Token) -> Iterable[tuple[Sequence[Catcher[Run]], Token]]:
    """What may catch, from the inside out: boundary events, then event sub-processes, of each level.

    An event sub-process does not catch what is thrown inside it.
    """
    while token is not PROCESS:
        yield run.nodes[token.element].catchers, token
        host = run.scopes.host(token.scope)
        if run.scopes[token.scope].note != INTERRUPTED:
            yield [one for one in event_starts(run, token.scope) if one.begins != token.element], host
        token = host
