"""Signals: heard by every instance that listens when they are sent, and by the processes they begin."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from bpm.bpmn.triggers import SignalArrived
from bpm.bus import Command, Context, View, handles
from bpm.errors import Conflict, Invalid, NotFound
from bpm.process import wait_tables
from bpm.process.broadcasts import MOST_LISTENERS, signal_messages
from bpm.process.runtime import NewInstance, ProcessRuntime
from bpm.process.start_triggers import ProcessStarts
from bpm.process.transaction_budget import TransactionBudget

AT_ONCE = 100
"""Maximum number of instances that hear a signal in one transaction; the others hear it in further ones."""


class BroadcastView(View):
    """Who heard a signal; `continues` when so many listen that the rest is told a moment later."""

    signalled: list[int]
    """The instances that heard it."""
    started: list[int]
    """The instances that it started."""
    continues: bool
    """Whether the rest is told a moment later."""


class BroadcastSignalCommand(Command[BroadcastView]):
    """Tell a signal to every instance that listens for its name, and start the processes that begin with it.

    Each place that listens now hears it once; one that comes to listen later does not. `variables` are written by
    each of them. `listeners` and `begins` are for the engine: whom to tell instead of everybody (each an instance and
    a wait, as in `12.3`), and whether to start processes.
    """

    permission = "processes:write"
    succeeded = "Signal broadcast successfully"
    failed = "Broadcast failed"

    signal_name: Annotated[str, Field(min_length=1, max_length=200)]
    """The name of the signal in the BPMN file."""
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])
    listeners: (
        Annotated[list[Annotated[str, Field(pattern=r"^[0-9]{1,18}\.[0-9]{1,18}$")]], Field(max_length=MOST_LISTENERS)]
        | None
    ) = None
    """Whom to tell instead of everybody; for the engine."""
    begins: bool = True
    """Whether processes are started; for the engine."""


@handles
def broadcast(
    command: BroadcastSignalCommand, context: Context, processes: ProcessRuntime, process_starts: ProcessStarts
) -> BroadcastView:
    """Advance who listened when it was sent, each undone alone if it fails, and start what begins with it."""
    listeners: Sequence[str] | None = command.listeners
    if listeners is None:
        listeners = wait_tables.signal_listeners(context.tx, context.organization_id, command.signal_name)
    told, signalled = _tell_all(listeners[:AT_ONCE], command, context, processes)
    rest = listeners[told:]
    if rest:
        for fields in signal_messages(command.signal_name, command.variables, rest, begins=False):
            context.later("BroadcastSignalCommand", fields, depth=0)
    started = _start(command, context, process_starts) if command.begins else []
    return BroadcastView(signalled=list(dict.fromkeys(signalled)), started=started, continues=bool(rest))


def _tell_all(
    listeners: Sequence[str], command: BroadcastSignalCommand, context: Context, processes: ProcessRuntime
) -> tuple[int, list[int]]:
    """Tell listeners as far as there is room; gives how many were told, and the instances that heard it."""
    budget, told = TransactionBudget(), 0
    signalled: list[int] = []
    for listener in listeners:
        told += 1
        instance_id, wait_id = map(int, listener.split("."))
        if _tell(instance_id, wait_id, command, context, processes, budget):
            signalled.append(instance_id)
        if budget.is_spent:
            break
    return told, signalled


def _tell(
    instance_id: int,
    wait_id: int,
    command: BroadcastSignalCommand,
    context: Context,
    processes: ProcessRuntime,
    budget: TransactionBudget,
) -> bool:
    """Tell one; False when it does not listen any more, perhaps by this very signal, or can't take what it brings."""
    wait = wait_tables.find_wait(context.tx, instance_id, wait_id)
    if wait is None or wait.kind != "signal" or wait.name != command.signal_name:
        return False
    try:
        with context.tx.savepoint():
            processes.answer(context, instance_id, SignalArrived(wait_id, command.variables), budget)
    except (Conflict, Invalid, NotFound):
        return False
    return True


def _start(command: BroadcastSignalCommand, context: Context, starts: ProcessStarts) -> list[int]:
    begun: list[int] = []
    for trigger in starts.triggered(context, "signal", command.signal_name):
        origin = f"{context.envelope.work_key}:{trigger.definition_id}"
        new = NewInstance(command.variables, element=trigger.element_id, origin=origin)
        standing = starts.begin(context, trigger.definition_id, new)
        if standing is not None:
            begun.append(standing.instance_id)
    return begun
