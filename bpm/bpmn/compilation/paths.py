"""Where one element of a process leads to another: along flows, to boundary events, from link to link."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from bpm.bpmn.definition import Element, ProcessDefinition

Steps = Mapping[str, Sequence[tuple[str, str]]]
"""For each element the flows that leave it, and where they lead; a step that is no flow has an empty id."""


class Links:
    """The link events of a process; those of one name in one scope belong together (BPMN 2.0.2, 10.5.4)."""

    def __init__(self, process: ProcessDefinition) -> None:
        self.throws: list[Element] = []
        self._catches: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for element in process.elements:
            if any(event.kind == "link" for event in element.events):
                if element.kind == "intermediateThrowEvent":
                    self.throws.append(element)
                elif element.kind == "intermediateCatchEvent":
                    self._catches[_link(element)].append(element.id)

    def catches(self, throw: Element) -> Sequence[str]:
        """The ids of the catch events that a throw event may mean."""
        return self._catches.get(_link(throw), ())

    def steps(self) -> Iterable[tuple[str, str]]:
        """From each throw event to its catch event; of several, each leads to the next, so that steps stay few."""
        for throw in self.throws:
            yield from ((throw.id, first) for first in self.catches(throw)[:1])
        for catches in self._catches.values():
            yield from pairwise(catches)


def _link(element: Element) -> tuple[str, str]:
    return element.scope, element.events[0].reference


def steps_of(process: ProcessDefinition, links: Links, *, boundaries: bool = True) -> Steps:
    """Every step of a process; with `boundaries` also those from an activity to its boundary events."""
    steps: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for flow in process.flows:
        if flow.listeners:  # a token rests on the flow
            steps[flow.source].append(("", flow.id))
        steps[flow.id if flow.listeners else flow.source].append((flow.id, flow.target))
    for element in process.elements:
        if boundaries and element.kind == "boundaryEvent":
            steps[element.attributes.get("attachedToRef", "")].append(("", element.id))
    for throw, catch in links.steps():
        steps[throw].append(("", catch))
    return steps


def reach(steps: Steps, starts: Iterable[str]) -> set[str]:
    """The elements that lie on a path from one of the starts, themselves included."""
    waiting = list(starts)
    reached = set(waiting)
    while waiting:
        for _, target in steps.get(waiting.pop(), ()):
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached


def reachable_flows(gateway: str, steps: Steps, incoming: frozenset[str]) -> Mapping[str, frozenset[str]]:
    """For each element the incoming flows of a gateway that lie on a path from it, not passing the gateway."""
    before: defaultdict[str, list[str]] = defaultdict(list)
    for source, flows in steps.items():
        for _, target in flows:
            before[target].append(source)
    reachable: defaultdict[str, set[str]] = defaultdict(set)
    for source, flows in steps.items():
        for flow in {flow for flow, _ in flows} & incoming:
            for element in _ways_back(source, gateway, before):
                reachable[element].add(flow)
    reachable.pop(gateway, None)
    return {element: frozenset(flows) for element, flows in reachable.items()}


def _ways_back(element: str, gateway: str, before: Mapping[str, Sequence[str]]) -> set[str]:
    """Where one may have come from to an element, without having passed the gateway."""
    waiting, seen = [element], {element}
    while waiting:
        here = waiting.pop()
        earlier = [each for each in before.get(here, ()) if here != gateway and each not in seen]
        seen.update(earlier)
        waiting += earlier
    return seen
