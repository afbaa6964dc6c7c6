"""What a DMN file holds that is not known where it stands, or stands twice: refused, so that nothing is ignored."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from bpm.dmn.problems import Problems
from bpm.dmn.standard import ELEMENTS
from bpm.model_files.xml import Tag
from bpm.spelling import nearest

_VENDORS = {
    "http://camunda.org/schema/1.0/dmn": frozenset({
        "inputVariable", "versionTag", "historyTimeToLive", "width", "diagramRelationId", "properties", "property",
    }),
    "http://camunda.org/schema/zeebe/1.0": frozenset({"versionTag", "properties", "property"}),
}  # fmt: skip
_VENDORS["http://operaton.org/schema/1.0/dmn"] = _VENDORS["http://camunda.org/schema/1.0/dmn"]
_TYPES = ("typeRef", "itemComponent", "functionItem")


MOST_PROBLEMS = 200
"""A file with so many words that are not known is refused at once: to look for what may be meant takes time."""


def check_unknown(root: Tag, problems: Problems) -> None:
    """Note every word of a file that would be ignored."""
    for tag in _listed(root, root):
        for problem in chain(_attributes(tag), _extensions(tag), _children(tag, root)):
            problems.add(tag, problem)
            if len(problems.found) >= MOST_PROBLEMS:
                problems.refuse()


def _listed(tag: Tag, root: Tag) -> Iterator[Tag]:
    """An element and all inside of it that have a meaning for evaluation."""
    yield tag
    for child in tag.children:
        if child.name in ELEMENTS and child.namespace == root.namespace:
            yield from _listed(child, root)


def _attributes(tag: Tag) -> Iterator[str]:
    known = ELEMENTS[tag.name].attributes
    for name in tag.attributes:
        namespace, _, local = name[1:].partition("}") if name[0] == "{" else ("", "", name)
        if namespace in _VENDORS and local not in _VENDORS[namespace]:
            yield f"the attribute '{local}' of <{tag.name}> is not known{_meant(local, _VENDORS[namespace])}"
        elif not namespace and local not in known:
            yield f"the attribute '{local}' is none of DMN's for <{tag.name}>{_meant(local, known)}"


def _extensions(tag: Tag) -> Iterator[str]:
    for holder in (child for child in tag.children if child.name == "extensionElements"):
        words = [child.name for child in holder.children if child.namespace in _VENDORS]
        known = sorted({word for words in _VENDORS.values() for word in words})
        yield from (f"the extension <{word}> is not known{_meant(word, known)}" for word in words if word not in known)
        yield from _more_than_one(tag, words)


def _children(tag: Tag, root: Tag) -> Iterator[str]:
    words = ELEMENTS[tag.name]
    known = words.once | words.many
    for child in tag.children:
        is_of_dmn = child.namespace == root.namespace
        if is_of_dmn and child.name not in known:
            yield f"<{child.name}> is no element of DMN that may stand in <{tag.name}>{_meant(child.name, known)}"
        elif not is_of_dmn and child.name in known:
            yield f"its <{child.name}> is not in the namespace of its file, {root.namespace}"
        elif child.name == "importedValues":
            yield "its imported values are not evaluated; write an expression"
    yield from _more_than_one(tag, (child.name for child in tag.children if child.name in words.once))
    if tag.name in ("itemDefinition", "itemComponent"):
        kinds = sorted({child.name for child in tag.children if child.name in _TYPES})
        if len(kinds) > 1:
            yield f"<{tag.name}> holds {' and '.join(f'<{kind}>' for kind in kinds)}; a type is one of them"


def _more_than_one(tag: Tag, names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"<{tag.name}> holds <{name}> {count} times, of which one alone would be evaluated; leave one"


def _meant(word: str, known: Iterable[str]) -> str:
    close = nearest(word, sorted(known))
    return f"; '{close[0]}' may be meant" if close else ""
