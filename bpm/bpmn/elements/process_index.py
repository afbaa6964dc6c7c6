"""What the elements of a process say about the process as a whole while it is put together."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bpm.bpmn.binding import Binding
from bpm.bpmn.compilation.form_fields import FormFields
from bpm.bpmn.compilation.values import Timer
from bpm.bpmn.elements.command_use import CommandUse
from bpm.expressions import Expression

if TYPE_CHECKING:
    from bpm.bpmn.elements.containers.event_sub_process import EventStart


@dataclass(slots=True)
class ProcessIndex:
    """Start events by what triggers them (None: a direct start), and elements by what they ask for.

    `start_fields` are those of the form of a direct start, `joins` the gateways that wait, `merging` those of them that
    are asked whenever everything has moved. Of the other dictionaries the keys are element ids; `scripts` are pairs of
    an element's id and what it asks for, of which, as of `commands`, there may be several.
    """

    starts: dict[str | None, str] = field(default_factory=dict[str | None, str])
    start_fields: FormFields | None = None
    start_signals: dict[str, str] = field(default_factory=dict[str, str])
    start_timers: dict[str, Timer] = field(default_factory=dict[str, Timer])
    start_conditions: dict[str, Expression] = field(default_factory=dict[str, Expression])
    event_starts: list["EventStart"] = field(default_factory=list["EventStart"])
    joins: list[str] = field(default_factory=list[str])
    merging: list[str] = field(default_factory=list[str])
    commands: list[CommandUse] = field(default_factory=list[CommandUse])
    scripts: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    decisions: dict[str, tuple[str, Binding]] = field(default_factory=dict[str, tuple[str, Binding]])
    ends_callers: list[str] = field(default_factory=list[str])
    forms: dict[str, tuple[str, Binding]] = field(default_factory=dict[str, tuple[str, Binding]])
