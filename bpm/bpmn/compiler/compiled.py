"""A process ready to run: what compiling a definition comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bpm.bpmn.binding import Binding
from bpm.bpmn.compilation.form_fields import FormFields
from bpm.bpmn.compilation.values import Timer
from bpm.bpmn.definition import ProcessDefinition
from bpm.bpmn.elements.command_use import CommandUse
from bpm.bpmn.elements.containers.event_sub_process import EventStart
from bpm.bpmn.elements.node import Node
from bpm.expressions import Expression


@dataclass(frozen=True, slots=True)
class CompiledProcess:
    """A process ready to run; immutable, to be kept for as long as instances of its version live.

    `starts` gives the start event for a message's name, None standing for a direct start, of which `start_fields` is
    the form; `start_signals` the one for a signal's name, `start_timers` the timers of those that begin by themselves,
    and `start_conditions` the conditions of those that begin when they are asked for. `event_starts` start the event
    sub-processes of the process itself; `joins` are the gateways that wait, `merging` the inclusive and complex ones of
    them; `ending` is the node that listens to the end of the process; `initiators` the variables that start events
    name for whoever began the instance. `commands`, `scripts`, `decisions` and `forms` say what its tasks will ask for,
    with the element's id, so that a deployment can check them.
    `data` are the variables that an instance begins with, `ends_callers` the events that would end the instances that
    call it as well.
    """

    id: str
    name: str
    definition: ProcessDefinition
    nodes: Mapping[str, Node]
    starts: Mapping[str | None, str]
    start_fields: FormFields | None
    start_signals: Mapping[str, str]
    start_timers: Mapping[str, Timer]
    start_conditions: Mapping[str, Expression]
    event_starts: Sequence[EventStart]
    joins: frozenset[str]
    merging: frozenset[str]
    ending: str
    initiators: Mapping[str, str]
    commands: Sequence[CommandUse]
    scripts: Sequence[tuple[str, str]]
    decisions: Mapping[str, tuple[str, Binding]]
    forms: Mapping[str, tuple[str, Binding]]
    data: Mapping[str, Any]
    ends_callers: Sequence[str]

    @property
    def start_messages(self) -> tuple[str, ...]:
        """The names of the messages that start an instance."""
        return tuple(name for name in self.starts if name is not None)

    @property
    def start_elements(self) -> frozenset[str]:
        """The ids of all its start events."""
        return frozenset(
            [*self.starts.values(), *self.start_signals.values(), *self.start_timers, *self.start_conditions]
        )
