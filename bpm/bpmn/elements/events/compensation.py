"""Compensation: undo what has completed, the last first (BPMN 2.0.2, 10.7 and 13.5.5)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.elements.activity import BoundaryHost
from bpm.bpmn.elements.containers.sub_process import SubProcess
from bpm.bpmn.elements.node import Node
from bpm.bpmn.run import Run
from bpm.bpmn.run.error_propagation import throw
from bpm.bpmn.run.event_sub_process_starts import take_over
from bpm.bpmn.state import Done, Token, done_keys, read_done

Work = list[list[Any]]
"""What is to be run: each handler's key, the variables it sees beside its scope's, and what was done inside."""


class Compensating(Node):
    """A node that runs the handlers of its scope one after the other, then goes on.

    It opens a scope for each handler; the scope's note is the work that remains.
    """

    target = ""

    def keys_in(self, note: Any) -> Sequence[str]:
        """The handlers that have still to run, and what was done inside."""
        return [key for handler, _, inner in note for key in (handler, *done_keys(read_done(inner)))]

    def compensate(self, run: Run, token: Token) -> None:
        """Begin; when there is nothing to undo, go on at once."""
        work: Work = []
        for scope in _scopes(run, token.scope):
            done = run.scopes.take_done(scope)
            wanted = [one for one in done if self.target in ("", one.element)]
            run.scopes.add_done(scope, *[one for one in done if one not in wanted])
            work += _work(run, wanted, {})
        run.tokens.rest(token)
        if work:
            run.record(self.id, "activated", token)
        self._next(run, token, work)

    def _next(self, run: Run, token: Token, work: Work) -> None:
        if not work:
            self.compensated(run, token)
            return
        (handler, variables, inner), *rest = work
        scope = run.scopes.open(token, dict(variables), note=rest)
        run.scopes.add_done(scope, *read_done(inner))
        run.tokens.spawn(run.nodes[handler].entry, scope)

    def emptied(self, run: Run, token: Token, scope: int) -> None:
        """A handler has ended."""
        rest = run.scopes[scope].note
        run.scopes.close(scope)
        self._next(run, token, rest)

    def compensated(self, run: Run, token: Token) -> None:
        """Everything is undone."""
        run.waits.close_all(token)
        self.leave(run, token)


class CompensationThrowEvent(Compensating):
    """Undoes one activity, or all that completed in its scope, and waits until that is done."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.target = element.events[0].reference
        if not element.events[0].waits:
            compilation.contradiction(element, 'waitForCompletion="false" is not executed')

    def attach(self, element: Element, nodes: Mapping[str, Node], compilation: Compilation) -> None:
        """Make sure that there is something to undo."""
        if self.target and not isinstance(nodes.get(self.target), BoundaryHost):
            compilation.problem(element, f"its activityRef '{self.target}' is no activity of this process")

    def activate(self, run: Run, token: Token) -> None:
        """Undo."""
        self.compensate(run, token)


class CompensationEndEvent(CompensationThrowEvent):
    """Undoes, then uses up the token."""


class Transaction(SubProcess):
    """A sub-process that can be cancelled: undone as a whole, and left by its cancel boundary event."""


class CancelEndEvent(Compensating):
    """Ends its transaction, undoes what completed in it, and goes on at the cancel boundary event."""

    is_left: ClassVar[bool] = False

    def attach(self, element: Element, nodes: Mapping[str, Node], compilation: Compilation) -> None:
        """Make sure that it stands in a transaction with a cancel boundary event."""
        around = compilation.elements.get(element.scope)
        if around is None or around.kind != "transaction":
            compilation.problem(element, "a cancel end event stands in a transaction only")
            return
        boundaries = compilation.attached.get(around.id, ())
        if around.id in nodes and not any(event.kind == "cancel" for one in boundaries for event in one.events):
            compilation.problem(element, f"its transaction '{around.id}' has no cancel boundary event")

    def activate(self, run: Run, token: Token) -> None:
        """Remove every other token of the transaction, whose event sub-processes are deaf from now on, then undo."""
        run.clear_around(token)
        take_over(run, token.scope)
        self.compensate(run, token)

    def compensated(self, run: Run, token: Token) -> None:
        """Leave the transaction."""
        run.record(self.id, "completed", token)
        throw(run, "cancel", token, None, "")


def _scopes(run: Run, scope: int) -> Iterable[int]:
    """The scopes whose activities are undone: an event sub-process undoes what its own scope stands in."""
    yield scope
    record = run.scopes[scope]
    node = run.nodes[record.element] if record.element else None
    if isinstance(node, SubProcess) and node.is_event_triggered and record.parent is not None:
        yield record.parent


def _work(run: Run, done: Sequence[Done], around: Mapping[str, Any]) -> Work:
    """The handlers for what was done, the last first; a sub-process without one is undone from the inside."""
    work: Work = []
    for one in reversed(done):
        node: Any = run.nodes[one.element]
        variables = {**around, **one.variables}
        if node.handler:
            work.append([node.handler, dict(around), []])
        elif getattr(node, "undone_by", ""):
            work.append([node.undone_by, variables, [_plain(each) for each in one.inner]])
        else:
            work += _work(run, one.inner, variables)
    return work


def _plain(done: Done) -> list[Any]:
    """The same as its JSON reads."""
    return [done.element, done.variables, [_plain(each) for each in done.inner]]
