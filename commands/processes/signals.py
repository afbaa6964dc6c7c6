"""Signals: heard by every instance that listens, and by the processes they begin."""

from typing import Annotated, Any

from pydantic import Field

from bpm.bpmn.triggers import SignalArrived
from bpm.bus import Command, Context, Integer, View, handles
from bpm.errors import Conflict, NotFound
from bpm.process import tables
from bpm.process.room import TransactionRoom
from bpm.process.runtime import NewInstance, ProcessRuntime
from bpm.process.start_triggers import ProcessStarts

AT_ONCE = 100
"""So many instances hear a signal in one transaction; the next ones in a transaction of their own."""


class BroadcastView(View):
    """Who heard a signal; `continues` when so many listen that the rest is told a moment later."""

    signalled: list[int]
    started: list[int]
    continues: bool


class BroadcastSignalCommand(Command[BroadcastView]):
    """Tell a signal to every instance that listens for its name, and start the processes that begin with it.

    `variables` are written by each of them. `behindInstanceId` and `behindWaitId` are for the engine, to go on.
    """

    permission = "processes:write"
    succeeded = "Signal broadcast successfully"
    failed = "Broadcast failed"

    signal_name: Annotated[str, Field(min_length=1, max_length=200)]
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])
    behind_instance_id: Integer = 0
    behind_wait_id: Integer = 0


@handles
def broadcast(
    command: BroadcastSignalCommand, context: Context, processes: ProcessRuntime, process_starts: ProcessStarts
) -> BroadcastView:
    """Advance who listens, each undone alone if it fails; the first time also start."""
    behind = command.behind_instance_id, command.behind_wait_id
    waits = tables.signal_waits(context.tx, context.organization_id, command.signal_name, behind, AT_ONCE)
    told: list[Any] = []
    signalled: list[int] = []
    room = TransactionRoom()
    for wait in waits:
        told.append(wait)
        if _tell(wait, command, context, processes, room):
            signalled.append(wait.instance_id)
        if room.is_spent:
            break
    continues = len(waits) == AT_ONCE or len(told) < len(waits)
    if continues:
        fields = {
            "signalName": command.signal_name,
            "variables": command.variables,
            "behindInstanceId": told[-1].instance_id,
            "behindWaitId": told[-1].wait_id,
        }
        context.later("BroadcastSignalCommand", fields, depth=0)
    started: list[int] = [] if behind != (0, 0) else _start(command, context, process_starts)
    return BroadcastView(signalled=list(dict.fromkeys(signalled)), started=started, continues=continues)


def _tell(
    wait: Any, command: BroadcastSignalCommand, context: Context, processes: ProcessRuntime, room: TransactionRoom
) -> bool:
    try:
        with context.tx.savepoint():
            processes.advance(context, wait.instance_id, SignalArrived(wait.wait_id, command.variables), room=room)
    except (Conflict, NotFound):  # the instance went on meanwhile, perhaps by this very signal
        return False
    return True


def _start(command: BroadcastSignalCommand, context: Context, starts: ProcessStarts) -> list[int]:
    begun: list[int] = []
    for trigger in starts.triggered(context, "signal", command.signal_name):
        origin = f"{context.envelope.request_id}:{trigger.definition_id}"
        new = NewInstance(command.variables, element=trigger.element_id, origin=origin)
        standing = starts.begin(context, trigger.definition_id, new)
        if standing is not None:
            begun.append(standing.instance_id)
    return begun
