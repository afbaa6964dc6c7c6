"""Events with several definitions: the event itself stands for the first, and a node of its own for each of the others.

Any of them happens, or all of them have to (`parallelMultiple`); an event that throws throws one after the other
(BPMN 2.0.2, 10.5.4 and 10.5.5, "Multiple" and "Parallel Multiple").
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.elements.events.catch_events import CatchEvent
from bpm.bpmn.elements.listening_event import ListeningEvent
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.subscriptions import KINDS
from bpm.bpmn.reader.event_definitions import EventDefinition
from bpm.bpmn.run import Way
from bpm.bpmn.state import TURN

THROWING = ("intermediateThrowEvent", "endEvent")
_LAST = ("error", "terminate", "cancel")
"""What ends the token of an end event, so that nothing is thrown behind it."""
_ALONE = ("link", "compensate")
_ONCE = ("timer", "conditional")
"""What a process can be started by once at a start event, which is known by its id alone."""


def events_in_order(element: Element) -> Element:
    """The same with what ends its token behind everything else that it throws."""
    return replace(element, events=tuple(sorted(element.events, key=lambda event: event.kind in _LAST)))


def find_misfit(element: Element) -> str:
    """Why the definitions of an event can't stand together; empty if they can."""
    kinds = [event.kind for event in element.events]
    if is_together(element) and (strange := [kind for kind in kinds if kind not in KINDS]):
        return f"{_an(strange[0])} can't be waited for together with others; only {', '.join(KINDS)} can"
    if strange := [kind for kind in kinds if (kind in _ALONE and element.kind not in THROWING) or kind == "link"]:
        return f"{_an(strange[0])} definition stands alone; give it an event of its own"
    if len([kind for kind in kinds if kind in _LAST]) > 1 and element.kind in THROWING:
        return "only one of its definitions can end it; leave out the others of error, terminate and cancel"
    if element.kind == "startEvent" and (twice := [kind for kind in _ONCE if kinds.count(kind) > 1]):
        return f"a start event has one {twice[0]} definition; give each a start event of its own"
    return ""


def _an(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def is_together(element: Element) -> bool:
    """Whether all events of an element have to happen."""
    return element.attributes.get("parallelMultiple") == "true" and len(element.events) > 1


def alone(element: Element, event: EventDefinition) -> Element:
    """The element as if it had this definition alone."""
    return replace(element, events=(event,))


def number_parts(parts: Sequence[Node]) -> None:
    """Let the waits of each part find it, and tokens know it."""
    for number, part in enumerate(parts[1:], 1):
        part.key = part.entry = part.wait_key = f"{part.id}{TURN}{number}"


def join_parts(element: Element, parts: Sequence[Node], compilation: Compilation) -> None:
    """Tell the parts of an event that waits of one another."""
    first, *others = parts
    together = is_together(element)
    if isinstance(first, CatchEvent):
        first.others = [part for part in others if isinstance(part, CatchEvent)]
        for part in (first, *first.others):
            part.behind, part.is_together = first.behind, together
    listening = [part for part in parts if isinstance(part, ListeningEvent)]
    for part in listening:
        part.together = listening if together else ()
    if together and element.kind == "startEvent" and not listening:
        compilation.problem(element, "a process can't wait for several triggers before it begins; use catch events")


def chain_parts(parts: Sequence[Node]) -> None:
    """Let each part of an event that throws lead to the next."""
    for part, following in pairwise(parts):
        part.always, part.leaves_as = Way((), following.entry, ()), "happened"
