"""Words that we do not know where they stand: each is refused, so that nothing is ignored in silence."""

from collections.abc import Iterable, Iterator, Set

from bpm.bpmn.reader.attributes import BOOLEANS, TRUTHS
from bpm.bpmn.reader.expression_languages import foreign_language
from bpm.bpmn.reader.standard import ATTRIBUTES, CHILDREN
from bpm.bpmn.reader.vocabularies import find_dialect, is_vendors, own
from bpm.model_files.xml import BPMN, Tag
from bpm.spelling import nearest

READ = frozenset({"extensionElements", "documentation", "incoming", "outgoing", "script"})
"""Children that are looked at elsewhere, or hold nothing but a text."""

SCOPES = frozenset({"process", "subProcess", "transaction", "adHocSubProcess"})
"""Whose children are judged where they are read."""

CLOSE = 0.8
"""How alike a word in a namespace that we don't know must be to one of ours to be taken for a slip."""


def our_namespaces(root: Tag) -> frozenset[str]:
    """The namespaces of a file that are no vendor's and in which it writes some word of ours."""
    return frozenset(_own_namespaces(root))


def _own_namespaces(tag: Tag) -> Iterator[str]:
    for name in tag.attributes:
        namespace, _, local = name[1:].partition("}")
        if name[0] == "{" and local in own.DIALECT.attributes and not is_vendors(namespace):
            yield namespace
    if tag.name in own.DIALECT.children and tag.namespace not in ("", BPMN) and not is_vendors(tag.namespace):
        yield tag.namespace
    for child in tag.children:
        yield from _own_namespaces(child)


def find_unknown(tag: Tag, ours: Set[str], nested: Iterable[str] = ()) -> Iterator[str]:
    """Say what of a tag is not known, and of its children but for those that are `nested` elements of their own."""
    yield from _unknown_attributes(tag, ours)
    if language := foreign_language(tag):
        noun = "condition" if tag.name == "conditionExpression" else f"<{tag.name}>"
        yield f"its {noun} is written in {language}; write FEEL (=a > 1) or ${{a > 1}}"
    holder = tag.first("extensionElements")
    for child in holder.children if holder else ():
        if child.namespace not in ("", BPMN):
            yield from _unknown_child(child, ours)
    for child in tag.children:
        if child.namespace == BPMN and tag.name not in SCOPES and not _may_stand(child.name):
            yield f"its <{child.name}> is none of BPMN's for <{tag.name}>{_meant(child.name, CHILDREN)}"
        elif child.namespace == BPMN and child.name in ATTRIBUTES and child.name not in {*READ, *nested}:
            yield from find_unknown(child, ours)


def _may_stand(name: str) -> bool:
    """Whether BPMN has an element of this name; of events there are more than we know."""
    return name in CHILDREN or name.endswith("EventDefinition")


def _unknown_attributes(tag: Tag, ours: Set[str]) -> Iterator[str]:
    known = ATTRIBUTES.get(tag.name)
    for name, value in tag.attributes.items():
        namespace, _, local = name[1:].partition("}") if name[0] == "{" else ("", "", name)
        if not namespace and local in BOOLEANS and value not in TRUTHS:
            yield f"its {local} '{value:.40}' is neither true nor false"
        if namespace:
            yield from _unknown_word(f"its attribute '{local}'", namespace, local, ours, is_attribute=True)
        elif known is not None and local not in known:
            yield f"its attribute '{local}' is none of BPMN's for <{tag.name}>{_meant(local, known)}"


def _unknown_child(tag: Tag, ours: Set[str]) -> Iterator[str]:
    yield from _unknown_word(f"its extension <{tag.name}>", tag.namespace, tag.name, ours, is_attribute=False)
    known = find_dialect(tag.namespace).child_attributes.get(tag.name)
    if known is None or not (is_vendors(tag.namespace) or tag.namespace in ours):
        return
    yield from _unknown_of(tag, known, ours)
    inner = find_dialect(tag.namespace).grandchildren.get(tag.name)
    if inner is None:
        return
    for child in tag.children:
        if child.name not in inner:
            yield f"its <{tag.name}> holds <{child.name}>, which is not known{_meant(child.name, inner)}"
        else:
            yield from _unknown_of(child, inner[child.name], ours)


def _unknown_of(tag: Tag, known: Set[str], ours: Set[str]) -> Iterator[str]:
    """The attributes of an extension that are not known."""
    for name in tag.attributes:
        namespace, _, local = name[1:].partition("}") if name[0] == "{" else ("", "", name)
        if namespace and not (is_vendors(namespace) or namespace in ours):
            continue
        if namespace or local not in known:
            yield f"the attribute '{local}' of its <{tag.name}> is not known{_meant(local, known)}"


def _unknown_word(what: str, namespace: str, word: str, ours: Set[str], *, is_attribute: bool) -> Iterator[str]:
    dialect = find_dialect(namespace)
    if dialect.knows(word):
        return
    words = dialect.attribute_words if is_attribute else list(dialect.children)
    if is_vendors(namespace) or namespace in ours:
        yield f"{what} is not known, so it would not be executed{_meant(word, words)}"
    elif close := nearest(word, words, cutoff=CLOSE):
        yield f"{what} is not known; '{close[0]}' may be meant"


def _meant(word: str, known: Iterable[str]) -> str:
    close = nearest(word, sorted(known))
    return f"; '{close[0]}' may be meant" if close else ""
