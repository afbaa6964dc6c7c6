"""Events that catch the same thing at the same place: only one of them could happen, so they are refused."""

from collections.abc import Hashable, Iterable, Mapping, Sequence

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.elements.activity import BoundaryHost
from bpm.bpmn.elements.containers.event_sub_process import EventStart
from bpm.bpmn.elements.containers.sub_process import SubProcess
from bpm.bpmn.elements.events.catch_events import Awaiting
from bpm.bpmn.elements.gateways.event_gateway import EventBasedGateway
from bpm.bpmn.elements.listening_event import CODED, ListeningEvent
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.subscriptions import MessageSubscription

_ONCE = ("cancel", "compensate")


def check_catchers(nodes: Mapping[str, Node], compilation: Compilation) -> None:
    """Note events that would catch what another one beside them catches."""
    starts = [node for node in nodes.values() if isinstance(node, EventStart)]
    for node in nodes.values():
        if isinstance(node, BoundaryHost):
            _check(node.boundaries, compilation)
        if isinstance(node, EventBasedGateway):
            _check(node.events, compilation)
    for scope in (compilation.process.id, *(node.id for node in nodes.values() if isinstance(node, SubProcess))):
        _check([start for start in starts if compilation.elements[start.sub_process].scope == scope], compilation)


def _check(events: Iterable[Node], compilation: Compilation) -> None:
    seen: dict[Hashable, Node] = {}
    for event in events:
        caught = _caught(event)
        if caught and caught in seen:
            what = " ".join(part for part in caught if part)
            compilation.contradiction(
                compilation.elements[event.id],
                f"it catches the same as '{seen[caught].id}' ({what}), of which one alone would happen; leave one",
            )
        elif caught:
            seen[caught] = event


def _caught(event: Node) -> Sequence[str]:
    """What an event catches that nobody else catches then; empty for what is heard by all, or comes by time."""
    if isinstance(event, ListeningEvent) and event.kind in CODED:
        return (event.kind, event.code)
    if isinstance(event, ListeningEvent) and event.kind in _ONCE:
        return (event.kind,)
    subscription = event.subscription if isinstance(event, ListeningEvent | Awaiting) else None
    if isinstance(subscription, MessageSubscription) and subscription.name:
        return ("message", subscription.name, subscription.key_source)
    return ()
