"""Listeners: scripts and commands before an element begins, behind it, along a flow, or for a person's task."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.compilation.values import Evaluator, Mapped
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import NOTHING, Event, RunScript, SendCommand
from bpm.bpmn.elements.activity import Activity
from bpm.bpmn.elements.auxiliary.work_node import AuxiliaryNode
from bpm.bpmn.elements.command_use import CommandUse, fields_given
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.process_index import ProcessIndex
from bpm.bpmn.elements.results import ResultNode
from bpm.bpmn.elements.retries import compile_retries, count_retries
from bpm.bpmn.elements.scripts import Script
from bpm.bpmn.reader.extensions import ListenerDefinition
from bpm.bpmn.run import Run, Way
from bpm.bpmn.state import Token
from bpm.bpmn.view import View


class ListenerScript:
    """A listener that is a script; the variables that it changes are written."""

    kind = "script"

    def __init__(self, source: str) -> None:
        self.script = Script(source)

    def contribute(self, element_id: str, parts: ProcessIndex) -> None:
        """A deployment checks the script."""
        parts.scripts.append((element_id, self.script.source))

    def request(self, wait_id: int, element_id: str, view: View) -> RunScript:
        """Run it."""
        return self.script.request(wait_id, 1, element_id, view)

    def written(self, result: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """What it has changed."""
        return values


class ListenerCommand:
    """A listener that is a command, with its parameters or the variables that the command knows as fields."""

    kind = "command"

    def __init__(self, listener: ListenerDefinition, inputs: Mapped | None, retries: Evaluator) -> None:
        self.listener = listener
        self.inputs = inputs
        self.retries = retries

    def contribute(self, element_id: str, parts: ProcessIndex) -> None:
        """A deployment checks the command."""
        fields = fields_given(self.listener.inputs)
        parts.commands.append(CommandUse(element_id, self.listener.command, fields))

    def request(self, wait_id: int, element_id: str, view: View) -> SendCommand:
        """Send it."""
        parameters = self.inputs.evaluate(view) if self.inputs else view
        retries = count_retries(self.retries(view))
        name, is_mapped = self.listener.command, self.inputs is not None
        return SendCommand(wait_id, 1, element_id, name, parameters, is_mapped, retries)

    def written(self, result: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Its result, where somebody says what becomes of it."""
        if self.listener.result_variable:
            return {self.listener.result_variable: result}
        is_merged = self.listener.merges_result and isinstance(result, dict)
        return cast("dict[str, Any]", result) if is_merged else NOTHING


ListenerWork = ListenerScript | ListenerCommand


def compile_listener(element: Element, listener: ListenerDefinition, compilation: Compilation) -> ListenerWork:
    """The work of a listener."""
    if listener.script is not None:
        return ListenerScript(compilation.script(element, "its listener", listener.script))
    inputs = compilation.mapping(element, "the parameters of its listener", listener.inputs)
    return ListenerCommand(listener, inputs, compile_retries(element, listener.retries, compilation))


class Listeners(AuxiliaryNode):
    """Some listeners, one after the other; the history says what each of them wrote."""

    leaves_as: Event = "listened"

    def __init__(self, element: Element, key: str, work: Sequence[ListenerWork], compilation: Compilation) -> None:
        super().__init__(element, key, work, compilation)
        self.listeners = work

    def contribute(self, parts: ProcessIndex) -> None:
        """A deployment checks what they ask for."""
        for listener in self.listeners:
            listener.contribute(self.id, parts)

    def take(self, run: Run, token: Token, number: int, result: Any, values: Mapping[str, Any]) -> None:
        """Write what a listener came to."""
        written = self.listeners[number].written(result, values)
        self.write(run, token, written)
        run.record(self.id, "listened", token, written)

    def pass_over(self, run: Run, token: Token, number: int) -> None:
        """One that has not listened writes nothing, not even null where its result would go."""

    def write(self, run: Run, token: Token, written: Mapping[str, Any]) -> None:
        """Set variables where they belong."""
        run.variables.write(token.scope, written)


class StartListeners(Listeners):
    """Before an element begins; they see what its input mapping gives, and may change it."""

    phase: ClassVar[str] = "start"

    def __init__(
        self, element: Element, host: Node, listeners: Sequence[ListenerDefinition], compilation: Compilation
    ) -> None:
        work = [compile_listener(element, listener, compilation) for listener in listeners]
        super().__init__(element, host.key, work, compilation)
        self.host = host
        self.of_assignment = {number for number, one in enumerate(listeners) if one.event == "assignment"}
        self.assignee = compilation.value(element, "its assignee", element.extensions.assignee)

    def applies(self, run: Run, token: Token, number: int) -> bool:
        """Nobody listens to an assignment where nobody is assigned."""
        return number not in self.of_assignment or self.assignee(self.view(run, token)) not in (None, "")

    def view(self, run: Run, token: Token) -> View:
        """The variables, and the values of the input mapping."""
        return run.variables.view(token.scope).within(self._inputs(run, token))

    def _inputs(self, run: Run, token: Token) -> Mapping[str, Any]:
        return self.host.input_values(run, token) if isinstance(self.host, Activity) else NOTHING

    def write(self, run: Run, token: Token, written: Mapping[str, Any]) -> None:
        """Set variables; those of the input mapping are the element's own."""
        local = self._inputs(run, token)
        changed = {name: value for name, value in written.items() if name in local}
        if changed:
            self.keep(run, token, changed={**self.kept(run, token).get("changed", {}), **changed})
        super().write(run, token, {name: value for name, value in written.items() if name not in local})

    def done(self, run: Run, token: Token) -> None:
        """Let the element begin."""
        run.tokens.hand_over(token, self.host.key)


class CompleteListeners(Listeners):
    """When a person has completed a task, before its outputs are written; they may change what was given."""

    phase: ClassVar[str] = "complete"

    def __init__(
        self, element: Element, host: ResultNode, work: Sequence[ListenerWork], compilation: Compilation
    ) -> None:
        super().__init__(element, host.key, work, compilation)
        self.host = host
        self.next = host.held_at

    def view(self, run: Run, token: Token) -> View:
        """The variables, and what was given."""
        kept = self.kept(run, token)
        return run.variables.view_of(token).within({**kept["seen"], **kept["written"]})

    def write(self, run: Run, token: Token, written: Mapping[str, Any]) -> None:
        """Set variables; those that were given are changed before they are mapped."""
        kept = self.kept(run, token)
        changed = {part: {**kept[part], **_known(written, kept[part])} for part in ("seen", "written")}
        self.keep(run, token, **changed)
        others = {name: value for name, value in written.items() if name not in kept["seen"] | kept["written"]}
        super().write(run, token, others)

    def take(self, run: Run, token: Token, number: int, result: Any, values: Mapping[str, Any]) -> None:
        """Write what a listener came to; behind the last one the outputs are mapped."""
        super().take(run, token, number, result, values)
        self._map_behind(run, token, number)

    def pass_over(self, run: Run, token: Token, number: int) -> None:
        """Behind the last one the outputs are mapped all the same."""
        self._map_behind(run, token, number)

    def _map_behind(self, run: Run, token: Token, number: int) -> None:
        if number + 1 == len(self.work) and not self.next:
            self.keep(run, token, written=self.host.held_results(run, token))

    def done(self, run: Run, token: Token) -> None:
        """Go on to the scripts of the output mapping, or write the results."""
        if self.next:
            run.tokens.hand_over(token, self.next)
        else:
            self.host.write_held(run, token)


def _known(written: Mapping[str, Any], kept: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in written.items() if name in kept}


class EndListeners(Listeners):
    """Behind an element; its token goes on from here, along the flows of the element."""

    phase: ClassVar[str] = "end"

    def __init__(
        self, element: Element, hosts: Sequence[Node], work: Sequence[ListenerWork], compilation: Compilation
    ) -> None:
        super().__init__(element, hosts[0].key, work, compilation)
        self._choose: Callable[[View], Way] = hosts[-1].choose
        self.always = hosts[-1].always
        for host in hosts:
            host.always = Way((), self.key, ())

    def choose(self, view: View) -> Way:
        """The flows that the element itself would take."""
        return self._choose(view)

    def done(self, run: Run, token: Token) -> None:
        """Go on."""
        run.leave(self, token)


class TakeListeners(Listeners):
    """Along a sequence flow, before the element that it leads to."""

    phase: ClassVar[str] = "take"

    def __init__(self, element: Element, target: str, work: Sequence[ListenerWork], compilation: Compilation) -> None:
        super().__init__(element, element.id, work, compilation)
        self.target = target

    def done(self, run: Run, token: Token) -> None:
        """Arrive at the element."""
        run.tokens.hand_over(token, self.target)


class ProcessEndListeners(Listeners):
    """When a process has come to its end, with its variables still at hand."""

    phase: ClassVar[str] = "end"

    def done(self, run: Run, token: Token) -> None:
        """End."""
        run.tokens.consume(token)
