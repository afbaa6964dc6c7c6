"""Nodes that do one piece of work after the other beside an element, and then hand its token over."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import NOTHING, Effect
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.tasks.job import STEPS_OF_WORK
from bpm.bpmn.reader.extensions import Extensions
from bpm.bpmn.run import Run
from bpm.bpmn.state import TURN, Token, Wait
from bpm.bpmn.view import View

AT = "at"
"""Under which the number of the piece of work is kept that a token has come to."""


class WorkItem(Protocol):
    """A script or a command that somebody else is asked for."""

    kind: str

    def request(self, wait_id: int, element_id: str, view: View) -> Effect:
        """What to ask for, with the variables that can be seen."""
        ...


class AuxiliaryNode(Node):
    """Does its work in order; each piece is asked for once, fails as an incident of its own, and can be retried.

    What fails here is caught by no error event: it is no business of the process's.
    """

    throws: ClassVar[bool] = False
    phase: ClassVar[str]

    def __init__(self, element: Element, key: str, work: Sequence[WorkItem], compilation: Compilation) -> None:
        super().__init__(replace(element, extensions=Extensions(), events=(), loop=None), compilation)
        self.key = self.entry = f"{key}{TURN}{self.phase}"
        self.work = work

    @property
    def stored_shape(self) -> tuple[object, ...]:
        """How many pieces there are, and what kind of work each is."""
        return tuple([one.kind for one in self.work])

    def applies(self, run: Run, token: Token, number: int) -> bool:
        """Whether a piece of work is to be done at all."""
        return True

    def view(self, run: Run, token: Token) -> View:
        """What its work sees."""
        return run.variables.view_of(token)

    def take(self, run: Run, token: Token, number: int, result: Any, values: Mapping[str, Any]) -> None:
        """Keep or write what a piece of work came to; raises EvaluationError for what can't be."""
        raise NotImplementedError

    def pass_over(self, run: Run, token: Token, number: int) -> None:
        """Do without a piece of work, as if it had come to nothing."""
        self.take(run, token, number, None, NOTHING)

    def done(self, run: Run, token: Token) -> None:
        """Hand the token over: all is done."""
        raise NotImplementedError

    def kept(self, run: Run, token: Token) -> Mapping[str, Any]:
        """What is kept for a token while it is here."""
        return run.tokens.beside.get(token.id, NOTHING)

    def number(self, run: Run, token: Token) -> int:
        """The piece of work that a token has come to."""
        return self.kept(run, token).get(AT, 0)

    def keep(self, run: Run, token: Token, **values: Any) -> None:
        """Keep something for a token, beside what is kept already."""
        run.variables.check(values)
        run.tokens.beside[token.id] = {**self.kept(run, token), **values}

    def activate(self, run: Run, token: Token) -> None:
        """Ask for the piece of work that is next."""
        number = self.number(run, token)
        if not self.applies(run, token, number):
            self._go_on(run, token, number + 1)
            return
        work = self.work[number]
        wait_id = run.waits.open(work.kind, self.id, token)
        request = work.request(wait_id, self.id, self.view(run, token))
        run.steps.spend(STEPS_OF_WORK)
        run.effects.append(request)
        run.tokens.rest(token)

    def complete(self, run: Run, token: Token, wait: Wait | None, result: Any, values: Mapping[str, Any]) -> None:
        """A piece of work is done."""
        number = self.number(run, token)
        self.take(run, token, number, result, values)
        run.waits.close_all(token, wait)
        self._go_on(run, token, number + 1)

    def skip(self, run: Run, token: Token, wait: Wait, values: Mapping[str, Any]) -> None:
        """Go on behind the piece of work that failed."""
        number = self.number(run, token)
        self.pass_over(run, token, number)
        self.discard(run, token)
        run.record(self.id, "skipped", token)
        run.variables.write(token.scope, values)
        self._go_on(run, token, number + 1)

    def _go_on(self, run: Run, token: Token, number: int) -> None:
        if number < len(self.work):
            self.keep(run, token, at=number)
            run.tokens.hand_over(token, self.key)
        else:
            self.keep(run, token, at=0)
            self.done(run, token)
