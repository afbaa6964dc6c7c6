"""Where in a request's raw body secrets stand, so that it can be stored without them and put together again.

A body is kept to the byte: its signature is verified again by it. Secrets in it, found by the names of the fields
they stand in, are therefore written over with stars of the same length, and sealed beside it.
"""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_plus

from bpm.security.redaction import is_secret_name
from router.mapping import Payload

Span = tuple[int, int]
"""Where a secret begins and where it has ended, in bytes."""

_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)
_WORDS = frozenset({b"true", b"false", b"null"})
_NAMES = re.compile(rb"secret|passw|pwd|token|credential|apikey|api_key|\bpin\b|\botp\b|cvv|\bpw\b", re.IGNORECASE)
"""What an XML or other text has to hold to be looked through."""
_ELEMENT = re.compile(rb"<(?:[\w.-]{1,100}:)?(?P<name>[\w.-]{1,100})(?:\s[^<>]{0,1000})?>(?P<value>[^<]{1,8192})<")
_ATTRIBUTE = re.compile(
    rb"\s(?:[\w.-]{1,100}:)?(?P<name>[\w.-]{1,100})\s{0,4}=\s{0,4}[\"'](?P<value>[^\"'<>]{1,8192})[\"']"
)


def secret_spans(raw: bytes, payload: Payload, names: frozenset[str] = frozenset()) -> list[Span]:
    """Return where secrets stand in a body that was read as `payload`; `names` are fields that are secret besides."""
    if payload.kind == "json":
        return list(_in_json(raw, names)) if _holds_secret(payload.value, names) else []
    if payload.kind == "form":
        return list(_in_form(raw, names)) if _holds_secret(payload.value, names) else []
    if payload.kind == "text" and _NAMES.search(raw):
        if raw.lstrip()[:1] in (b"{", b"["):  # JSON that its sender does not call so
            return list(_in_json(raw, names))
        return sorted({*_in_text(raw, _ELEMENT), *_in_text(raw, _ATTRIBUTE)})
    return []


def masked(raw: bytes, spans: Iterable[Span]) -> bytes:
    """Return a body with stars for what stands in the spans."""
    body = bytearray(raw)
    for start, end in spans:
        body[start:end] = b"*" * (end - start)
    return bytes(body)


def _holds_secret(value: object, names: frozenset[str]) -> bool:
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            if any(name in names or is_secret_name(name) for name in found):  # pyright: ignore[reportUnknownVariableType]
                return True
            waiting.extend(found.values())  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(found, list):
            waiting.extend(found)  # pyright: ignore[reportUnknownArgumentType]
    return False


def _in_json(raw: bytes, names: frozenset[str]) -> Iterator[Span]:
    """Yield every text and number that is the value of a secret name, or stands inside of one."""
    depth, hidden, pending, last = 0, 0, False, b""
    for token in _TOKENS.finditer(raw):
        text = token[0]
        if text in (b"{", b"["):
            depth += 1
            hidden = hidden or (depth if pending else 0)
        elif text in (b"}", b"]"):
            hidden = 0 if hidden == depth else hidden
            depth -= 1
        elif text == b":":
            pending = _is_secret(last[1:-1].decode("utf-8", "replace"), names)
            continue
        elif (pending or hidden) and text not in _WORDS and text != b",":
            inset = 1 if text.startswith(b'"') else 0
            yield token.start() + inset, token.end() - inset
        pending, last = False, text


def _in_form(raw: bytes, names: frozenset[str]) -> Iterator[Span]:
    start = 0
    for pair in raw.split(b"&"):
        name, sign, _ = pair.partition(b"=")
        if sign and _is_secret(unquote_plus(name.decode("utf-8", "replace")), names):
            yield start + len(name) + 1, start + len(pair)
        start += len(pair) + 1


def _in_text(raw: bytes, pattern: re.Pattern[bytes]) -> Iterator[Span]:
    for found in pattern.finditer(raw):
        if is_secret_name(found["name"].decode()) and found["value"].strip():
            yield found.span("value")


def _is_secret(name: str, names: frozenset[str]) -> bool:
    return name in names or is_secret_name(name)
