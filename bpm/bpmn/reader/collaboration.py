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


def read_participants(root: Tag) -> tuple[Participant, ...]:
    """The pools of a file, those of all its collaborations."""
    tags = [tag for collaboration in root.all("collaboration") for tag in collaboration.all("participant")]
    return tuple([Participant(tag.get("id"), tag.get("name"), tag.get("processRef")) for tag in tags])


def read_message_flows(root: Tag) -> tuple[MessageFlow, ...]:
    """The messages drawn between its pools."""
    tags = [tag for collaboration in root.all("collaboration") for tag in collaboration.all("messageFlow")]
    return tuple(
        [
            MessageFlow(
                tag.get("id"), tag.get("name"), tag.get("sourceRef"), tag.get("targetRef"), tag.get("messageRef")
            )
            for tag in tags
        ]
    )
