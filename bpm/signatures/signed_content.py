"""What a signature covers: a text with `{id}`, `{timestamp}`, `{body}` and more in it that can be read in one way only.

A signature proves a row of bytes. Where an id ends and the body begins has to follow from the bytes themselves, or
else whoever has seen one signed request can cut the same bytes into another id, another time and another body:

- a timestamp has no leading zero and lies within the tolerance, so it always has the same number of digits;
- an id, or another value from the request, does not hold the character that separates it from what stands beside it;
- only one part may hold anything: the body, the sorted fields of a form, a part of the body as JSON, or one field that
  is marked `*`;
- a body beside an address begins, or ends, with a character that no address can hold;
- so only values without a separator could slide: such a text is refused when a rule is saved.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from .signed_request import parse_place

WORDS = (
    "{body}, {body:path}, {json:path}, {flag:path}, {url}, {method}, {path}, {query}, {query.name}, {header.name}, "
    "{headers:name}, {form sorted}, {timestamp}, {id}, {digest}, {value.name} and {secret}"
)
OPEN, CLOSE = "{?", "?}"
"""Around what is left out, with the texts in it, when one of its values is not in the request."""

_SPLIT = re.compile(r"(\{\?|\?\}|\{[^{}]*\}|[{}])")
_FIXED = re.compile(
    r"\{(?:message|timestamp|method|secret|digest(?::(?:sha1|sha256|sha512))?|value\.[A-Za-z0-9_]{1,50})\}"
)
_OTHER = re.compile(
    r"\{(?:(?:body|flag|json|headers):[^{}]+|(?:query|header)\.[^{}]+"
    r"|body|id|url|path|query|form sorted|digest:crc32)\}"
)
_ADDRESSES = frozenset({"{url}", "{path}", "{query}"})
_COVERING = re.compile(r"\{(?:message|body|(?:body|flag|json):[^{}]+|digest[^{}]*|form sorted)\}")


def parts_of(signed_content: str) -> list[str]:
    """The words and the texts between them, in their order."""
    return [part for part in _SPLIT.split(signed_content) if part]


def is_word(part: str) -> bool:
    """Whether a part stands for something of the request."""
    return part.startswith("{") and part != OPEN


def is_known(word: str) -> bool:
    """Whether a word is one of ours; another one in a rule that was saved long ago is a text like any other."""
    return word != "{" and _unknown(word) is None


def is_free(word: str) -> bool:
    """Whether a word stands for something that may hold any character."""
    return word in ("{body}", "{form sorted}") or word.startswith("{json:") or _is_marked(word)


def _is_marked(word: str) -> bool:
    return word.startswith("{body:") and word.endswith("*}")


def is_address(word: str) -> bool:
    """Whether a word stands for the request's address or a part of it."""
    return word in _ADDRESSES


def covers_address(signed_content: str) -> bool:
    """Whether the address with its query is covered."""
    return "{url}" in signed_content or "{query}" in signed_content


def covers_body(signed_content: str) -> bool:
    """Whether the body, or something of it, is covered."""
    return _COVERING.search(signed_content) is not None


def barred_from(signed_content: str, wanted: str) -> frozenset[str]:
    """The characters that a word's value may not hold, because they separate it from its neighbours."""
    parts = ["", *(part for part in parts_of(signed_content) if part not in (OPEN, CLOSE)), ""]
    barred: set[str] = set()
    for before, part, after in zip(parts, parts[1:], parts[2:], strict=False):
        if part == wanted:
            barred.update(text for text in (before[-1:], after[:1]) if text and text not in "{}")
    return frozenset(barred)


def barred_from_ids(signed_content: str) -> frozenset[str]:
    """The characters that an id may not hold."""
    return barred_from(signed_content, "{id}")


def place_of(word: str) -> str:
    """The place that a word looks at, as in `header:x-id`; empty for words of other kinds."""
    kind, sign, name = word[1:-1].replace(".", ":", 1 if ":" not in word else 0).partition(":")
    if kind in ("body", "flag", "json") and sign:
        return f"body:{name.removesuffix('*')}"
    if kind == "headers" and sign:
        return f"header:{name}"
    return f"{kind}:{name}" if kind in ("header", "query") and sign else ""


def value_names(signed_content: str) -> list[str]:
    """The names of the values that a rule must give."""
    return [part[7:-1] for part in parts_of(signed_content) if part.startswith("{value.")]


def complaints(signed_content: str) -> Iterator[str]:
    """Why a text can't be what a provider signs, or could be read in more than one way."""
    parts = parts_of(signed_content)
    for word in filter(is_word, parts):
        if word != "{" and (sentence := _unknown(word)):
            yield sentence
    if "{message}" in parts and len(parts) > 1:
        yield "signedContent with {message} in it holds nothing else: the request says what is signed (RFC 9421)"
    if stray := next((part for part in parts if part in "{}"), None):
        yield f"signedContent may hold {WORDS}, not {stray}"
    if not _are_groups_closed(parts):
        yield "signedContent has a {? without its ?}, or one inside another"
    if len([part for part in parts if is_free(part)]) > 1:
        words = "{body}, {form sorted}, {json:…} and {body:…*}"
        yield f"signedContent may hold only one of {words}, or where one ends can't be told"
    plain = [part for part in parts if part not in (OPEN, CLOSE)]
    for part, after in pairwise(plain):
        if is_word(part) and is_word(after) and _slides(part, after):
            yield f"signedContent needs a separator between {part} and {after}, or where one ends can't be told"


def _unknown(word: str) -> str | None:
    if _FIXED.fullmatch(word):
        return None
    if not _OTHER.fullmatch(word):
        return f"signedContent may hold {WORDS}, not {word}"
    try:
        if place := place_of(word):
            parse_place(place)
    except ValueError as error:
        return f"{word} in signedContent {error}"
    return None


def _slides(part: str, after: str) -> bool:
    """Whether a character at the border of two words could belong to either."""
    if _FIXED.fullmatch(part) and _FIXED.fullmatch(after):
        return False
    pair = {part, after}
    if is_address(part) != is_address(after) and any(is_free(word) or word == "{method}" for word in pair):
        return "{form sorted}" in pair
    return not any(_FIXED.fullmatch(word) for word in pair) or not any(is_free(word) for word in pair)


def _are_groups_closed(parts: list[str]) -> bool:
    is_open = False
    for part in parts:
        if part in (OPEN, CLOSE):
            if is_open == (part == OPEN):
                return False
            is_open = not is_open
    return not is_open
