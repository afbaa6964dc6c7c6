"""Elements that stand twice where one is read: each is refused, so that none is ignored in silence."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from bpm.bpmn.reader.standard import ATTRIBUTES, CHILDREN, MANY
from bpm.bpmn.reader.vocabularies import find_dialect
from bpm.model_files.xml import BPMN, Tag

CHOICES = {
    **dict.fromkeys(("timeDuration", "timeDate", "timeCycle"), "time"),
    **dict.fromkeys(("standardLoopCharacteristics", "multiInstanceLoopCharacteristics"), "loop"),
    **dict.fromkeys(("humanPerformer", "performer"), "performer"),
}
"""Elements of which one alone may stand beside the others of its choice."""

_HOLDERS = frozenset({
    *ATTRIBUTES, "dataInputAssociation", "dataOutputAssociation", "assignment", "humanPerformer", "performer",
    "potentialOwner", "resourceAssignmentExpression",
})  # fmt: skip
"""Elements whose children are counted too."""

_ONCE = frozenset({
    name for name in CHILDREN | _HOLDERS if name not in MANY and not name.endswith("EventDefinition")
}) | {"from", "to", "transformation", "formalExpression"}  # fmt: skip
"""What an element has one of at most."""


def find_repeated(tag: Tag, nested: Iterable[str] = ()) -> Iterator[str]:
    """Say what stands twice in a tag and its children but for those that are `nested` elements of their own."""
    yield from _twice(tag, "it")
    for child in _own(tag):
        if child.name in _HOLDERS and child.name not in nested:
            yield from _repeated_inside(child)


def _repeated_inside(tag: Tag) -> Iterator[str]:
    yield from _twice(tag, f"its <{tag.name}>")
    for child in _own(tag):
        if child.name in _HOLDERS:
            yield from _repeated_inside(child)


def _own(tag: Tag) -> Iterator[Tag]:
    return (child for child in tag.children if child.namespace == BPMN)


def _twice(tag: Tag, who: str) -> Iterator[str]:
    yield from _more_than_one(who, Counter(child.name for child in _own(tag) if child.name in _ONCE))
    holder = tag.first("extensionElements")
    extensions = Counter((child.namespace, child.name) for child in (holder.children if holder else ()))
    for (namespace, name), count in extensions.items():
        if _is_read_once(namespace, name):
            yield from _more_than_one(who, {name: count})


def _more_than_one(who: str, counts: Mapping[str, int]) -> Iterator[str]:
    """Say which elements, or elements of one choice, there are several of."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, count in counts.items():
        found[CHOICES.get(name, name)] += [f"<{name}>" if count == 1 else f"<{name}> {count} times"]
    for names in found.values():
        if len(names) > 1 or names[0].endswith("times"):
            yield f"{who} holds {' and '.join(names)}, of which one alone would be executed; leave one of them"


def _is_read_once(namespace: str, name: str) -> bool:
    dialect = find_dialect(namespace)
    return name in dialect.children and name not in dialect.repeated
