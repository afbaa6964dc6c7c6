"""Looking around in the XML of a model."""

from collections.abc import Iterator

from bpm.model_files.xml import Tag

_VERSION_TAGS = ("{http://camunda.org/schema/1.0/dmn}versionTag", "{http://operaton.org/schema/1.0/dmn}versionTag")
_ZEEBE = "http://camunda.org/schema/zeebe/1.0"


def children(tag: Tag, *names: str) -> list[Tag]:
    """The children of these names, in their order."""
    return [each for each in tag.children if each.name in names]


def child(tag: Tag | None, *names: str) -> Tag | None:
    """The first such child."""
    return next(iter(children(tag, *names)), None) if tag else None


def text_of(tag: Tag | None) -> str:
    """The text of an expression."""
    text = child(tag, "text")
    return text.text.strip() if text else ""


def every(tag: Tag) -> Iterator[Tag]:
    """An element and all inside of it."""
    yield tag
    for each in tag.children:
        yield from every(each)


def version_tag(tag: Tag) -> str:
    """The tag that its author gave to this version of a decision, in Camunda's words; empty for none."""
    holder = child(tag, "extensionElements")
    found = [tag.get(name) for name in _VERSION_TAGS]
    found += [each.get("value") for each in (holder.children if holder else ()) if _is_version_tag(each)]
    return next((text.strip() for text in found if text.strip()), "")


def _is_version_tag(tag: Tag) -> bool:
    return tag.name == "versionTag" and tag.namespace == _ZEEBE


def reference(tag: Tag) -> str:
    """The id that an element refers to, within the file."""
    return tag.get("href").rpartition("#")[2]
