"""Where in a request's raw body secrets stand, so that it can be stored without them and put together again.

A body is kept to the byte: its signature is verified again by it. Secrets in it, found by the names of the fields
they stand in, are therefore written over with stars of the same length, and sealed beside it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, cast
from urllib.parse import unquote_plus

from pydantic_core import from_json

from bpm.security.redaction import is_credential_name
from router.mapping import Payload

Span = tuple[int, int]
"""Where a secret begins and where it has ended, in bytes."""

MAX_LOOKED_THROUGH = 32 * 1024
"""A larger body that mentions secrets is hidden whole: to look for each of them would hold up other requests."""

_MENTIONS = tuple(
    word.encode()
    for word in ("secret", "passw", "pwd", "token", "credential", "apikey", "api_key", "api-key", "authoriz")
)
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)
_WORDS = frozenset({b"true", b"false", b"null"})
_ELEMENT = re.compile(rb"<(?:[\w.-]{1,100}:)?(?P<name>[\w.-]{1,100})(?:\s[^<>]{0,1000})?>(?P<value>[^<]{1,8192})<")
_ATTRIBUTE = re.compile(
    rb"\s(?:[\w.-]{1,100}:)?(?P<name>[\w.-]{1,100})\s{0,4}=\s{0,4}[\"'](?P<value>[^\"'<>]{1,8192})[\"']"
)


def secret_spans(raw: bytes, payload: Payload, names: frozenset[str] = frozenset()) -> list[Span]:
    """Return where secrets stand in a body that was read as `payload`; `names` are fields that are secret besides."""
    if payload.kind == "form":
        return list(_in_form(raw, names))
    if payload.kind not in ("json", "text"):
        return []
    if len(raw) > MAX_LOOKED_THROUGH:
        return [(0, len(raw))] if names or _mentions_secrets(raw) else []
    if payload.kind == "json":
        return list(_in_json(raw, names)) if _holds_secret(payload.value, names) else []
    if not _mentions_secrets(raw):
        return []
    if raw.lstrip()[:1] in (b"{", b"["):  # JSON that its sender does not call so
        return list(_in_json(raw, names))
    return sorted({*_in_text(raw, _ELEMENT), *_in_text(raw, _ATTRIBUTE)})


def masked(raw: bytes, spans: Iterable[Span]) -> bytes:
    """Return a body with stars for what stands in the spans."""
    body = bytearray(raw)
    for start, end in spans:
        body[start:end] = b"*" * (end - start)
    return bytes(body)


def _mentions_secrets(raw: bytes) -> bool:
    lowered = raw.lower()
    return any(word in lowered for word in _MENTIONS)


def _holds_secret(payload: Any, names: frozenset[str]) -> bool:
    waiting = [payload]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            fields = cast("dict[str, Any]", found)
            if any(map(is_credential_name, fields)) or not names.isdisjoint(fields):
                return True
            waiting.extend(fields.values())
        elif isinstance(found, list):
            waiting.extend(cast("list[Any]", found))
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
            pending = _is_secret(_name(last), names)
            continue
        elif (pending or hidden) and text not in _WORDS and text != b",":
            inset = 1 if text.startswith(b'"') else 0
            yield token.start() + inset, token.end() - inset
        pending, last = False, text


def _name(written: bytes) -> str:
    """Return the name of a field as it is meant, whichever of its letters are written as escapes."""
    try:
        return str(from_json(written)) if b"\\" in written else written[1:-1].decode("utf-8", "replace")
    except ValueError:
        return ""


def _in_form(raw: bytes, names: frozenset[str]) -> Iterator[Span]:
    start = 0
    for pair in raw.split(b"&"):
        name, sign, _ = pair.partition(b"=")
        if sign and _is_secret(unquote_plus(name.decode("utf-8", "replace")), names):
            yield start + len(name) + 1, start + len(pair)
        start += len(pair) + 1


def _in_text(raw: bytes, pattern: re.Pattern[bytes]) -> Iterator[Span]:
    for found in pattern.finditer(raw):
        if is_credential_name(found["name"].decode()) and found["value"].strip():
            yield found.span("value")


def _is_secret(name: str, names: frozenset[str]) -> bool:
    return name in names or is_credential_name(name)
