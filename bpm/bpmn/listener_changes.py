"""What listens when an instance goes on with another version: events that are gone end, and new ones begin.

An event of both versions goes on as it began, with its time, its message and its key.
"""

from collections.abc import Iterator, Mapping, Sequence

from bpm.bpmn.compiler.compiled import CompiledProcess
from bpm.bpmn.effects import TellCalled
from bpm.bpmn.elements.containers.event_sub_process import EventStart
from bpm.bpmn.elements.events.catch_events import Awaiting
from bpm.bpmn.elements.listening_event import CODED, ListeningEvent
from bpm.bpmn.elements.node import Node
from bpm.bpmn.run import Run
from bpm.bpmn.run.error_propagation import caught_codes
from bpm.bpmn.run.scopes import INTERRUPTED
from bpm.bpmn.run.waits import INCIDENT
from bpm.bpmn.state import PROCESS, ROOT, Caller, Instance, Wait
from bpm.bpmn.triggers import ChangeListeners
from bpm.expressions import EvaluationError

_NOT_LISTENING = ("activate", "leave", "listen")
"""Where a token rests as an incident before its events have begun to listen, or when they have ended."""


def is_gone(old: CompiledProcess, new: CompiledProcess, wait: Wait) -> bool:
    """Whether a wait is that of a boundary event or event sub-process that the new version lacks."""
    return isinstance(old.nodes.get(wait.element), ListeningEvent) and wait.element not in new.nodes


class NotListening(EvaluationError):
    """An event can't begin to listen; the `reason` may show variables."""

    def __init__(self, event: str, reason: str) -> None:
        super().__init__(f"'{event}' can't begin to listen: {reason}")
        self.event = event


class ListenerChanges:
    """Two versions of a process, for the instances of one that are to go on with the other."""

    def __init__(self, old: CompiledProcess, new: CompiledProcess) -> None:
        """Look at each version once, however many instances there are."""
        self._old = old
        self._new = new
        self._tells_called = _caught(old) != _caught(new)

    def of(self, instance: Instance, by: str) -> ChangeListeners | None:
        """Return what changes for an instance that lacks nothing in the new version; None if nothing does."""
        ended = [wait.id for wait in instance.waits.values() if is_gone(self._old, self._new, wait)]
        begun = [(token, event.key) for token, event in self._new_events(instance)]
        tells = self._tells_called and any(wait.kind == "call" for wait in instance.waits.values())
        if not ended and not begun and not tells:
            return None
        return ChangeListeners(tuple(ended), tuple(begun), tells, by)

    def _new_events(self, instance: Instance) -> Iterator[tuple[int, Node]]:
        """The events that are to begin, each with the token that it listens beside."""
        incidents = [wait for wait in instance.waits.values() if wait.kind == INCIDENT]
        silent = {wait.token for wait in incidents if wait.data[0] in _NOT_LISTENING}
        interrupted = {scope.token for scope in instance.scopes.values() if scope.note == INTERRUPTED}
        is_listening = not any(wait.data[0] == "listen" for wait in incidents)
        if is_listening and instance.scopes[ROOT].note != INTERRUPTED:
            for event in _new(self._old.event_starts, self._new.event_starts):
                yield PROCESS.id, event
        for token in instance.tokens.values():
            if token.id not in silent:
                before, after = self._old.nodes[token.element], self._new.nodes[token.element]
                for event in _new(before.listening_events, after.listening_events):
                    if not isinstance(event, EventStart) or token.id not in interrupted:
                        yield token.id, event


def _new(before: Sequence[Node], after: Sequence[Node]) -> list[Node]:
    """The events that wait for something, and are only in the second of two versions."""
    known = {event.key for event in before}
    return [event for event in after if event.key not in known and _waits(event)]


def _waits(event: Node) -> bool:
    """Whether an event waits for something, and is not merely thrown at."""
    return isinstance(event, Awaiting) or (isinstance(event, ListeningEvent) and event.subscription is not None)


def _caught(process: CompiledProcess) -> Mapping[str, Sequence[object]]:
    """What is caught at each element, and around all of them."""
    listeners = {key: node.listening_events for key, node in process.nodes.items()} | {"": process.event_starts}
    events = {key: [each for each in found if isinstance(each, ListeningEvent)] for key, found in listeners.items()}
    coded = {key: [each.codes(kind) for kind in CODED for each in found] for key, found in events.items()}
    return {key: codes for key, codes in coded.items() if any(codes)}


def change_listeners(run: Run, process: CompiledProcess, trigger: ChangeListeners) -> None:
    """End and begin; raises NotListening for an event that can't."""
    run.gather()
    begins, ends = trigger.names(run.instance)
    run.record(process.id, "changed", PROCESS, {"by": trigger.by, "begins": begins, "ends": ends})
    for wait_id in trigger.ended:
        run.waits.close(run.instance.waits[wait_id], "cancelled")
    for token, key in trigger.begun:
        event = process.nodes[key]
        assert isinstance(event, ListeningEvent | Awaiting)
        try:
            event.arm(run, run.tokens.resting[token] if token else PROCESS)
        except EvaluationError as error:
            raise NotListening(event.id, str(error)) from error
    if trigger.tells_called:
        _tell_called(run)


def change_caller(run: Run, caller: Caller) -> None:
    """Know what is caught outside now, and tell the instances that are called from here."""
    run.instance.caller = caller
    run.gather()
    _tell_called(run)


def _tell_called(run: Run) -> None:
    for wait in run.waits.of_kind("call"):
        token = run.waits.token(wait)
        caller = Caller(caught_codes(run, "error", token), caught_codes(run, "escalation", token))
        run.effects.append(TellCalled(wait.id, wait.element, caller))
