"""Tokens that somebody moves: some are taken away, others put before an element."""

from bpm.bpmn.compiler.compile import CompiledProcess
from bpm.bpmn.definition import Element
from bpm.bpmn.run import Run
from bpm.bpmn.run.scopes import INTERRUPTED
from bpm.bpmn.run.step_budget import LimitExceeded
from bpm.bpmn.state import PROCESS, ROOT, TURN, Token
from bpm.bpmn.triggers import MoveTokens
from bpm.expressions import EvaluationError


def move_tokens(run: Run, process: CompiledProcess, trigger: MoveTokens) -> None:
    """Take tokens away, write the variables, and put tokens on their way; raises EvaluationError if that can't be."""
    run.gather()
    for element in dict.fromkeys(trigger.cancel):
        _cancel(run, element)
    run.variables.write(ROOT, trigger.variables)
    try:
        run.check_tokens(len(trigger.start_before))
    except LimitExceeded as error:
        raise EvaluationError(str(error)) from error
    elements = {element.id: element for element in process.definition.elements}
    for name in trigger.start_before:
        scope = _scope_for(run, process, elements, name)
        run.tokens.spawn(run.nodes[name].entry, scope)
    _refuse_emptied(run)
    values = {"by": trigger.by, "cancelled": list(trigger.cancel), "startedBefore": list(trigger.start_before)}
    run.record(process.id, "changed", PROCESS, values | {"variables": dict(trigger.variables)})


def _cancel(run: Run, element: str) -> None:
    """Take away every token that rests at an element, with all that was opened for it."""
    tokens = sorted([token for token in run.tokens.resting.values() if _is_at(token, element)])
    if not tokens:
        raise EvaluationError(f"no token rests at '{element:.200}'")
    for token in tokens:
        run.steps.spend(1)
        run.nodes[token.element].terminate(run, token)
        run.tokens.consume(token)


def _is_at(token: Token, element: str) -> bool:
    """Whether a token is at an element, or at what is done beside it; the turns of a repeated one don't count."""
    beside = token.element.removeprefix(f"{element}{TURN}")
    return token.element == element or (beside != token.element and beside != "" and not beside.startswith(TURN))


def _refuse_emptied(run: Run) -> None:
    """A scope without a token would count as completed, which nobody asked for; one that is ad hoc waits for more."""
    emptied = [scope for scope in dict.fromkeys(run.tokens.emptied) if run.tokens.is_empty(scope)]
    for scope in emptied:
        around = run.scopes[scope].element
        if around is None:
            raise EvaluationError("no token would be left; CancelProcessInstanceCommand ends the instance")
        node = run.nodes[around]
        if not node.waits_empty(run, scope):
            raise EvaluationError(f"no token would be left in '{node.id}'; cancel it itself, or start something in it")
    run.tokens.emptied.clear()


def _scope_for(run: Run, process: CompiledProcess, elements: dict[str, Element], name: str) -> int:
    """The one scope that runs around an element at which a token may arrive."""
    element = elements.get(name)
    if element is None:
        raise EvaluationError(f"the process has no element '{name:.200}'")
    incoming = [flow for flow in process.definition.flows if flow.target == name]
    if not incoming and element.scope in elements and elements[element.scope].kind == "adHocSubProcess":
        raise EvaluationError(f"'{name}' is begun in its ad hoc sub-process by ActivateAdHocActivitiesCommand")
    if not incoming:
        raise EvaluationError(f"no sequence flow leads to '{name}', so no token can be put before it")
    if run.nodes[name].is_join and len(incoming) > 1:
        raise EvaluationError(f"'{name}' joins several flows; start before what follows it")
    scope = ROOT if element.scope == process.id else _running(run, elements[element.scope])
    if run.scopes[scope].note == INTERRUPTED:
        raise EvaluationError(f"an event sub-process has taken over around '{name}', or it is being undone")
    around = run.scopes[scope].element
    if around is not None and not run.nodes[around].admits(run, scope):
        raise EvaluationError(f"one activity runs at a time around '{name}', and one does already; cancel it as well")
    return scope


def _running(run: Run, around: Element) -> int:
    """The scope of a sub-process that runs once."""
    found = [key for key, scope in run.instance.scopes.items() if scope.element == around.id]
    if around.loop is not None or len(found) != 1:
        how = "is repeated" if around.loop is not None else f"runs {len(found)} times at the moment"
        raise EvaluationError(f"the sub-process '{around.id}' {how}; start before it instead")
    return found[0]
