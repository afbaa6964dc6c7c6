"""What differs between two versions of a model file: element by element, and field by field.

An element is what has an id and stands in a process, a sub-process, a collaboration, a lane set or a decision table.
Everything else belongs to the element around it, as fields with a path, such as `timerEventDefinition.timeDuration`.
The drawing is not compared, nor what editors note about themselves.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bpm.model_files.xml import Tag

Change = Literal["added", "removed", "changed"]

CONTAINERS = {
    "definitions", "process", "subProcess", "adHocSubProcess", "transaction", "collaboration", "laneSet",
    "childLaneSet", "decisionTable",
}  # fmt: skip
UNREAD = {"BPMNDiagram", "DMNDI", "incoming", "outgoing"}
"""The drawing, and what the sequence flows say as well."""
LISTED = {"flowNodeRef"}
"""Elements of which there are many, told apart by their text."""
UNTOLD = {"id", "exporter", "exporterVersion", "executionPlatform", "executionPlatformVersion", "modelerTemplateIcon"}
"""Attributes that are not compared: what names an element, and what editors note about themselves."""
SCHEMA_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
LABELS = ("name", "key", "target", "source", "href")
"""Attributes by which elements of one kind are told apart, the first that is there."""
SILENT = {"extensionElements", "text"}
"""Elements that are left out of a path: they only hold others, or a text."""
ORDERED = {"rule"}
"""Kinds of elements whose order counts."""
MAX_PATH, MAX_STEP = 200, 80


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A field that differs; `before` or `after` is None where the element has none of that path."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ElementDifference:
    """An element that differs: its id, name and kind as the newer version that has it writes them."""

    id: str
    name: str
    kind: str
    change: Change
    fields: tuple[FieldDifference, ...]


@dataclass(frozen=True, slots=True)
class _Element:
    """An element, the id of the one it stands in, its place there among its kind, and what it says by paths."""

    tag: Tag
    parent: str
    position: int
    fields: dict[str, str] = field(default_factory=dict[str, str])


def compare_files(before: Tag, after: Tag) -> list[ElementDifference]:
    """Return the elements that differ: those of the newer file in its order, behind them those that are gone."""
    old, new = _elements(before), _elements(after)
    moved = _moved(old, new)
    found: list[ElementDifference] = []
    for id_, element in new.items():
        if id_ not in old:
            found.append(_difference(id_, element, "added", _fields({}, element.fields)))
        elif fields := _fields(_placed(old[id_], id_ in moved), _placed(element, id_ in moved)):
            found.append(_difference(id_, element, "changed", fields))
    gone = [(id_, element) for id_, element in old.items() if id_ not in new]
    return found + [_difference(id_, element, "removed", _fields(element.fields, {})) for id_, element in gone]


def _difference(id_: str, element: _Element, change: Change, fields: Sequence[FieldDifference]) -> ElementDifference:
    return ElementDifference(id_, element.tag.get("name"), element.tag.name, change, tuple(fields))


def _fields(before: Mapping[str, str], after: Mapping[str, str]) -> list[FieldDifference]:
    paths = [path for path in dict.fromkeys((*after, *before)) if before.get(path) != after.get(path)]
    return [FieldDifference(path, before.get(path), after.get(path)) for path in paths]


def _placed(element: _Element, is_moved: bool) -> Mapping[str, str]:
    """The fields of an element with its kind and with what it stands in, and its place there if that is another."""
    place = {"position": str(element.position)} if is_moved else {}
    return {"kind": element.tag.name, "stands in": element.parent, **element.fields, **place}


def _moved(old: Mapping[str, _Element], new: Mapping[str, _Element]) -> set[str]:
    """The elements whose order counts and that stand in another order: as few as say how."""
    known = [id_ for id_, each in new.items() if each.tag.name in ORDERED and id_ in old]
    return set(known) - {known[index] for index in _rising([old[id_].position for id_ in known])}


def _rising(numbers: Sequence[int]) -> Iterator[int]:
    """The indexes of a longest strictly rising subsequence, the last first."""
    lowest: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, number in enumerate(numbers):
        length = bisect_left(lowest, number)
        before.append(ends[length - 1] if length else -1)
        lowest[length : length + 1], ends[length : length + 1] = [number], [index]
    index = ends[-1] if ends else -1
    while index >= 0:
        yield index
        index = before[index]


def _elements(root: Tag) -> dict[str, _Element]:
    """The elements of a file by their ids, in its order; the file itself is one."""
    found: dict[str, _Element] = {}
    waiting = [(root, root.get("id"), "", 1)]
    while waiting:
        tag, id_, parent, position = waiting.pop()
        if id_ in found:
            continue
        found[id_] = element = _Element(tag, parent, position)
        reader = _Reader(element.fields)
        reader.read(tag, is_own=True)
        waiting.extend(reversed([(each, each.get("id"), id_, place) for each, place in _places(reader.inner)]))
    return found


def _places(tags: Sequence[Tag]) -> Iterator[tuple[Tag, int]]:
    """Each with its place, from 1, among those of its kind."""
    places = Counter[str]()
    for tag in tags:
        places[tag.name] += 1
        yield tag, places[tag.name]


class _Reader:
    """Collects what an element says, with all that belongs to it, and the elements in it."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.inner: list[Tag] = []
        self._fields = fields
        self._times = Counter[str]()

    def read(self, tag: Tag, path: str = "", *, is_own: bool = False) -> None:
        """Note the attributes and the text of a tag under its path, and those of its children under theirs."""
        label = None if is_own else _label(tag)
        written = {name: value for name, value in tag.attributes.items() if name != label and _is_compared(name)}
        for name, value in written.items():
            self._note(_below(path, name.rpartition("}")[2]), value.strip())
        text = "" if tag.name in LISTED else tag.text.strip()
        if text or not (is_own or written or tag.children):
            self._note(path or "text", text)
        steps = Counter[str]()
        for child in tag.children:
            if tag.name in CONTAINERS and child.get("id") and child.name not in UNREAD:
                self.inner.append(child)
            elif child.name not in UNREAD:
                self.read(child, _below(path, "" if child.name in SILENT else _numbered(_step(child), steps)))

    def _note(self, path: str, value: str) -> None:
        self._fields[_numbered(path, self._times)] = value


def _below(path: str, step: str) -> str:
    """A path one step further; of very long ones the end is left out."""
    return f"{path}.{step[:MAX_STEP]}"[:MAX_PATH] if path and step else path or step[:MAX_STEP]


def _numbered(name: str, times: Counter[str]) -> str:
    """The name, with a number from its second time on."""
    times[name] += 1
    return name if times[name] == 1 else f"{name}[{times[name]}]"


def _is_compared(attribute: str) -> bool:
    return not attribute.startswith(SCHEMA_INSTANCE) and attribute.rpartition("}")[2] not in UNTOLD


def _step(tag: Tag) -> str:
    label = tag.text.strip() if tag.name in LISTED else tag.get(_label(tag) or "")
    return f"{tag.name}[{label[:MAX_STEP]}]" if label else tag.name


def _label(tag: Tag) -> str | None:
    return next((name for name in LABELS if tag.get(name)), None) if tag.attributes else None
