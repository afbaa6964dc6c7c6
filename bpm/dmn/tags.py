"""Looking around in the XML of a model."""

from collections.abc import Iterator

from bpm.model_files.xml import Tag


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


def reference(tag: Tag) -> str:
    """The id that an element refers to, within the file."""
    return tag.get("href").rpartition("#")[2]
