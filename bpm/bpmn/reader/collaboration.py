"""Pools, lanes and the messages between them; a message drawn there names what the events at its ends leave open."""

from collections.abc import Iterator
from dataclasses import dataclass

from bpm.model_files.xml import Tag


@dataclass(frozen=True, slots=True)
class DiagramLane:
    """A lane and the ids of the flow nodes drawn in it."""

    id: str
    name: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Participant:
    """A pool and the id of the process it shows; empty for a black box."""

    id: str
    name: str
    process: str


@dataclass(frozen=True, slots=True)
class MessageFlow:
    """A dashed arrow between pools, and the message it refers to; messages themselves travel by correlation."""

    id: str
    name: str
    source: str
    target: str
    message: str = ""


def read_lanes(tag: Tag) -> Iterator[DiagramLane]:
    """The lanes of a process, and those inside them."""
    for lane_set in (*tag.all("laneSet"), *tag.all("childLaneSet")):
        for lane in lane_set.all("lane"):
            nodes = tuple(node.text.strip() for node in lane.all("flowNodeRef"))
            yield DiagramLane(lane.get("id"), lane.get("name"), nodes)
            yield from read_lanes(lane)


def read_participants(collaboration: Tag | None) -> tuple[Participant, ...]:
    """The pools of a file; a file need not have a collaboration."""
    tags = collaboration.all("participant") if collaboration else ()
    return tuple(Participant(tag.get("id"), tag.get("name"), tag.get("processRef")) for tag in tags)


def read_message_flows(collaboration: Tag | None) -> tuple[MessageFlow, ...]:
    """The messages drawn between its pools."""
    tags = collaboration.all("messageFlow") if collaboration else ()
    return tuple(
        MessageFlow(tag.get("id"), tag.get("name"), tag.get("sourceRef"), tag.get("targetRef"), tag.get("messageRef"))
        for tag in tags
    )
