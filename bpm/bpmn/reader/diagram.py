"""Where the elements of a file are drawn: its BPMN DI."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from bpm.model_files.xml import Tag


@dataclass(frozen=True, slots=True)
class Shape:
    """Where an element is drawn: left, top, width and height in the diagram's own units."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Diagram:
    """The BPMN DI of a file: shapes by element id and way points (x, y) by flow id."""

    shapes: Mapping[str, Shape] = field(default_factory=dict[str, Shape])
    edges: Mapping[str, tuple[tuple[float, float], ...]] = field(
        default_factory=dict[str, tuple[tuple[float, float], ...]]
    )


def read_diagram(root: Tag) -> Diagram:
    """Read BPMN DI (BPMN 2.0.2, chapter 12); what has no usable coordinates is left out."""
    planes = (plane for child in root.children if child.name == "BPMNDiagram" for plane in child.children)
    shapes: dict[str, Shape] = {}
    edges: dict[str, tuple[tuple[float, float], ...]] = {}
    for tag in (tag for plane in planes for tag in plane.children):
        target = tag.get("bpmnElement")
        if tag.name == "BPMNShape" and (shape := _shape(tag)):
            shapes[target] = shape
        elif tag.name == "BPMNEdge":
            points = (_numbers(point, "x", "y") for point in tag.children if point.name == "waypoint")
            edges[target] = tuple((point[0], point[1]) for point in points if point)
    return Diagram(shapes, edges)


def _shape(tag: Tag) -> Shape | None:
    for child in tag.children:
        if child.name == "Bounds" and (numbers := _numbers(child, "x", "y", "width", "height")):
            return Shape(*numbers)
    return None


def _numbers(tag: Tag, *names: str) -> tuple[float, ...] | None:
    try:
        numbers = tuple([float(tag.attributes[name]) for name in names])
    except (KeyError, ValueError):
        return None
    return numbers if all(map(math.isfinite, numbers)) else None
