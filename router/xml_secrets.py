"""Where secrets stand in an XML body: in elements and attributes of secret names, and in those that name a secret."""

import re
from collections.abc import Iterator

from bpm.security.secret_names import is_credential_name

Span = tuple[int, int]
"""Where a secret begins and where it has ended, in bytes."""

_TOKENS = re.compile(
    rb"<!--(?:.*?-->|.*)|<\?(?:.*?\?>|.*)|<!\[CDATA\[(?P<data>.*?)(?:\]\]>|\Z)"
    rb"|<(?P<close>/)?(?:[\w.-]{1,100}:)?(?P<name>[\w.-]{0,200})(?P<rest>[^<>]*)>?|(?P<text>[^<]+)",
    re.DOTALL,
)
_ATTRIBUTES = re.compile(
    rb"(?<![\w.:-])(?:[\w.-]{1,100}:)?(?P<name>[\w.-]{1,100})\s{0,4}=\s{0,4}"
    rb"(?:\"(?P<double>[^\"]*)\"?|'(?P<single>[^']*)'?)"
)
_NAMING = frozenset({"name", "key", "id"})
"""Attributes whose value names what the element holds, as in `<field name="password">`."""


def spans_in_xml(raw: bytes) -> Iterator[Span]:
    """Yield every text and attribute that is the value of a secret name, or stands inside of one."""
    depth = hidden = 0
    for token in _TOKENS.finditer(raw):
        if token["name"] is None:
            span = token.span("data" if token["data"] is not None else "text")
            if hidden and raw[slice(*span)].strip():
                yield span
        elif token["close"]:
            hidden = 0 if hidden == depth else hidden
            depth -= 1
        else:
            attributes = list(_ATTRIBUTES.finditer(token["rest"]))
            is_secret = bool(hidden) or _is_secret(token["name"], attributes)
            start = token.start("rest")
            yield from ((start + low, start + high) for low, high in _values(attributes, is_secret=is_secret))
            if not token["rest"].endswith(b"/"):
                depth += 1
                hidden = hidden or (depth if is_secret else 0)


def _is_secret(element: bytes, attributes: list[re.Match[bytes]]) -> bool:
    """Tell whether an element is called like a secret, or says that it holds one."""
    named = (_value(each) for each in attributes if each["name"].decode().lower() in _NAMING)
    return any(is_credential_name(name.decode("utf-8", "replace")) for name in (element, *named))


def _values(attributes: list[re.Match[bytes]], *, is_secret: bool) -> Iterator[Span]:
    """Yield the secret attributes of an element; of a secret one, its `value`."""
    for each in attributes:
        name = each["name"].decode()
        if _value(each) and (is_credential_name(name) or (is_secret and name.lower() == "value")):
            yield each.span("double" if each["double"] is not None else "single")


def _value(attribute: re.Match[bytes]) -> bytes:
    return attribute["double"] if attribute["double"] is not None else attribute["single"]
