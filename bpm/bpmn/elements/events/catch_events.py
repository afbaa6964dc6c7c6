"""Intermediate catch events: the token waits for a message, a signal, a timer or a condition."""

from collections.abc import Mapping
from typing import Any, ClassVar

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import History
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.results import ResultNode
from bpm.bpmn.elements.subscriptions import Subscription, subscribe, waits_for_others
from bpm.bpmn.run import Run, Way
from bpm.bpmn.state import Token, Wait


class Awaiting(ResultNode):
    """A node whose token waits for an event; behind an event-based gateway the gateway's token waits for it.

    An object's members become variables unless the node names one. `behind` are the event-based gateways it stands
    behind, with the flows from them. `is_together`: other events of the element have to happen as well.
    """

    is_together = False
    is_answered: ClassVar[bool] = True

    subscription: Subscription
    runs_output_scripts: ClassVar[bool] = True

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.behind: dict[str, str] = {}

    @property
    def stored_shape(self) -> tuple[object, ...]:
        """The kind of event it waits for."""
        return (type(self.subscription),)

    def arm(self, run: Run, token: Token) -> Mapping[str, Any]:
        """Begin to wait; gives what the history shows of it."""
        return self.subscription.open(run, self.wait_key, token, token.scope)

    def holds(self, run: Run, wait: Wait) -> bool:
        """Whether its condition holds."""
        return self.subscription.holds(run.variables.view(run.waits.token(wait).scope))

    def complete(self, run: Run, token: Token, wait: Wait | None, result: Any, values: Mapping[str, Any]) -> None:
        """It has happened; the gateway's token comes along."""
        if wait and self.is_together and waits_for_others(run, token, wait):
            self._happened(run, token, wait, self.results(run.variables.view_of(token), result, values))
            return
        if self.held_at:
            self._pass_gateway(run, token)
            self.hold(run, token, wait, result, values)
            return
        written = self.results(run.variables.view_of(token), result, values)
        run.variables.write(token.scope, written)
        run.waits.close_all(token, wait)
        self._pass_gateway(run, token)
        self.leave(run, token, written)

    def skip(self, run: Run, token: Token, wait: Wait, values: Mapping[str, Any]) -> None:
        """Give up the wait and go on as if it had been answered."""
        self._pass_gateway(run, token)
        super().skip(run, token, wait, values)

    def _happened(self, run: Run, token: Token, wait: Wait, written: Mapping[str, Any]) -> None:
        """Write what an event brought while others have still to happen."""
        run.variables.write(token.scope, written)
        run.waits.close(wait)
        run.record(self.id, "happened", token, written)

    def _pass_gateway(self, run: Run, token: Token) -> None:
        if flow := self.behind.get(token.element):
            run.effects.append(History(token.element, "completed", run.now, token.id, flows=(flow,)))


class CatchEvent(Awaiting):
    """Waits where it stands in the flow (BPMN 2.0.2, 10.5.4); with several definitions beside `others` of it."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.merges_result = not self.default_result
        self.subscription = subscribe(element, compilation)
        self.others: list[CatchEvent] = []

    @property
    def stored_shape(self) -> tuple[object, ...]:
        """The kinds of event it waits for."""
        return (*super().stored_shape, *[other.stored_shape for other in self.others], self.is_together)

    def arm(self, run: Run, token: Token) -> Mapping[str, Any]:
        """Begin to wait, for others of its events as well."""
        shown = super().arm(run, token)
        return dict(shown, **{name: value for other in self.others for name, value in other.arm(run, token).items()})

    def activate(self, run: Run, token: Token) -> None:
        """Wait."""
        run.record(self.id, "activated", token, self.arm(run, token))
        run.tokens.rest(token)


class LinkCatchEvent(Node):
    """Where the throw events of the same link name lead to (BPMN 2.0.2, 10.5.4, "Link")."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.link = element.events[0].reference


class LinkThrowEvent(Node):
    """Goes on at the catch event of its name, as if a flow led there."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.link = element.events[0].reference

    def attach(self, element: Element, nodes: Mapping[str, Node], compilation: Compilation) -> None:
        """Find the catch event of its name."""
        catches = compilation.links.catches(element)
        if len(catches) == 1:
            self.always = Way((), compilation.entry(catches[0]), ())
        else:
            compilation.problem(element, f"{len(catches)} link catch events are called '{self.link}'; one must be")
