"""Instances that begin by themselves: for a published event, or at a time. Only the engine sends these."""

from typing import Any

from pydantic import Field

from bpm.bus import Command, Context, Id, Integer, View, handles
from bpm.process.runtime import NewInstance
from bpm.process.start_triggers import ProcessStarts
from bpm.security.permissions import EXECUTE


class TriggeredView(View):
    """The definitions of which an instance begins."""

    process_definition_ids: list[int]
    """The versions of which an instance begins."""


class StartTriggeredProcessesCommand(Command[TriggeredView]):
    """Begin an instance of each process that a published event triggers, right after the commit."""

    permission = EXECUTE

    event: str
    data: dict[str, Any]
    event_id: str


@handles
def start_triggered(
    command: StartTriggeredProcessesCommand, context: Context, process_starts: ProcessStarts
) -> TriggeredView:
    """Ask for one message a definition, so that none keeps the publisher waiting or undoes its event.

    What a process publishes about its own instances does not begin another one of it, for that would not end.
    """
    begun: list[int] = []
    for trigger in process_starts.triggered(context, "event", command.event):
        own = command.event.startswith("process.") and process_starts.is_of(
            context, trigger.definition_id, command.data.get("processKey")
        )
        if own:
            continue
        variables = {**command.data, "payload": command.data, "eventName": command.event, "eventId": command.event_id}
        fields = {"definitionId": trigger.definition_id, "variables": variables, "origin": command.event_id}
        context.later("BeginProcessInstanceCommand", fields, principal=context.principal)
        begun.append(trigger.definition_id)
    return TriggeredView(process_definition_ids=begun)


class BegunView(View):
    """The instance that began; none when its definition was switched off meanwhile."""

    instance_id: int | None


class BeginProcessInstanceCommand(Command[BegunView]):
    """Begin one instance on behalf of those who deployed the definition and switched it on."""

    permission = EXECUTE

    definition_id: Id
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])
    origin: str
    """What began it."""


@handles
def begin(command: BeginProcessInstanceCommand, context: Context, process_starts: ProcessStarts) -> BegunView:
    """Begin it, once for each origin."""
    origin = f"{command.origin}:{command.definition_id}"
    standing = process_starts.begin_by_itself(
        context, command.definition_id, NewInstance(command.variables, origin=origin)
    )
    return BegunView(instance_id=standing.instance_id if standing is not None else None)


class FireStartTimerCommand(Command[BegunView]):
    """Begin the instance that a timer start event is for."""

    permission = EXECUTE

    definition_id: Id
    element_id: str
    turn: Integer
    """Which turn of the timer it is."""


@handles
def fire(command: FireStartTimerCommand, context: Context, process_starts: ProcessStarts) -> BegunView:
    """Begin it, and set the timer again if it is a cycle."""
    standing = process_starts.fire(context, command.definition_id, command.element_id, command.turn)
    return BegunView(instance_id=standing.instance_id if standing is not None else None)
