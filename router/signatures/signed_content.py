"""What a signature covers: a text with `{id}`, `{timestamp}` and `{body}` in it that can be read in one way only.

A signature proves a row of bytes. Where an id ends and the body begins has to follow from the bytes themselves, or
else whoever has seen one signed request can cut the same bytes into another id, another time and another body:

- a timestamp has no leading zero and lies within the tolerance, so it always has ten digits;
- an id does not hold the character that separates it from what stands beside it;
- so only an id without a separator could slide: such a text is refused when a rule is saved.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

PLACEHOLDERS = ("{body}", "{timestamp}", "{id}")

_SPLIT = re.compile(r"(\{body\}|\{timestamp\}|\{id\})")
_BRACED = re.compile(r"\{[^{}]*\}|[{}]")


def parts_of(signed_content: str) -> list[str]:
    """The placeholders and the texts between them, in their order."""
    return [part for part in _SPLIT.split(signed_content) if part]


def barred_from_ids(signed_content: str) -> frozenset[str]:
    """The characters that an id may not hold, because they separate it from its neighbours."""
    parts = ["", *parts_of(signed_content), ""]
    barred: set[str] = set()
    for before, part, after in zip(parts, parts[1:], parts[2:], strict=False):
        if part == "{id}":
            barred.update(text for text in (before[-1:], after[:1]) if text and text not in "{}")
    return frozenset(barred)


def complaints(signed_content: str) -> Iterator[str]:
    """Why a text can't be what a provider signs, or could be read in more than one way."""
    for word in _BRACED.findall(signed_content):
        if word not in PLACEHOLDERS:
            yield f"signedContent may hold {{body}}, {{timestamp}} and {{id}}, not {word}"
    parts = parts_of(signed_content)
    for part, after in pairwise(parts):
        if "{id}" in (part, after) and part in PLACEHOLDERS and after in PLACEHOLDERS:
            yield f"signedContent needs a separator between {part} and {after}, or where one ends can't be told"
