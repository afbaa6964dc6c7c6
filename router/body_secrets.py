"""Where in a request's raw body secrets stand, so that it can be stored without them and put together again.

A body is kept to the byte: its signature is verified again by it. Secrets in it, found by the names of the fields
they stand in, are therefore written over with stars of the same length, and sealed beside it. A body in which they
can't be told from the rest is written over whole.
"""

import re
from collections.abc import Iterable, Iterator, Set
from functools import lru_cache
from urllib.parse import unquote_plus

from bpm.exact_json import read_json
from bpm.media import is_utf8
from bpm.multipart import Part
from bpm.security.secret_names import is_credential_name
from router.mapping import JsonPayload, MultipartPayload, Payload
from router.xml_secrets import Span, spans_in_xml

MAX_LOOKED_THROUGH = 32 * 1024
"""A larger body that mentions secrets is hidden whole: to look for each of them would hold up other requests."""

MAX_KNOWN_NAMES = 64
"""Of so many names at most what was found is remembered."""

_WORDS_OF_NAMES = (
    "secret passw passp passc pwd token credential apikey api_key api-key authoriz privatekey private_key private-key "
    "accesskey access_key access-key signingkey signing_key signing-key sessionid session_id jwt "
    '"pin" "otp" "cvv "cvc" "pw" "pass" "cookie" <pin <otp <cvv <cvc <pass> :pin> :otp> pin= otp= pass='
)
_MENTIONS = tuple(word.encode() for word in _WORDS_OF_NAMES.split())
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)
_WORDS = frozenset({b"true", b"false", b"null"})


def secret_spans(raw: bytes, payload: Payload, names: frozenset[str] = frozenset()) -> list[Span]:
    """Return where secrets stand in a body that was read as `payload`; `names` are fields that are secret besides."""
    if payload.kind in ("text", "xml"):
        return list(_in_text(raw, names))
    if payload.kind == "form":
        return list(_in_form(raw, names)) if _is_in_ascii(raw) else _whole(raw, names)
    if isinstance(payload, MultipartPayload):
        return [(part.start, part.end) for part in payload.parts if _hides_part(part, raw, names)]
    if not isinstance(payload, JsonPayload):
        return []
    if len(raw) > MAX_LOOKED_THROUGH:
        return _whole(raw, names)
    if not _holds_secret(payload.names, names):
        return []
    return list(_in_json(raw, names)) if _is_in_ascii(raw) and is_utf8(raw) else [(0, len(raw))]


def spans_of_unreadable(raw: bytes) -> list[Span]:
    """Return what to write over in a body that is not what its type says: all of it, when it mentions secrets."""
    return _whole(raw, frozenset())


def mask(raw: bytes, spans: Iterable[Span]) -> bytes:
    """Return a body with stars for what stands in the spans."""
    body = bytearray(raw)
    for start, end in spans:
        body[start:end] = b"*" * (end - start)
    return bytes(body)


def _whole(raw: bytes, names: frozenset[str]) -> list[Span]:
    return [(0, len(raw))] if names or _mentions_secrets(raw) else []


def _is_in_ascii(raw: bytes) -> bool:
    """Tell whether letters of ASCII are single bytes, as in every charset but UTF-16 and UTF-32."""
    return b"\0" not in raw


def _mentions_secrets(raw: bytes) -> bool:
    lowered = raw.lower() if _is_in_ascii(raw) else raw.lower().replace(b"\0", b"")
    return any(word in lowered for word in _MENTIONS)


def _holds_secret(found: Set[str], names: frozenset[str]) -> bool:
    if len(found) > MAX_KNOWN_NAMES:
        return any(map(is_credential_name, found)) or not names.isdisjoint(found)
    return _holds_credential(frozenset(found)) or not names.isdisjoint(found)


@lru_cache(maxsize=256)
def _holds_credential(found: frozenset[str]) -> bool:
    """Tell whether one of these names is a credential's; a provider's bodies have the same names again and again."""
    return any(map(is_credential_name, found))


def _hides_part(part: Part, raw: bytes, names: frozenset[str]) -> bool:
    """Tell whether a part of a form is secret: by its name, or because its content mentions secrets."""
    return part.end > part.start and (_is_secret(part.name, names) or _mentions_secrets(raw[part.start : part.end]))


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
        return str(read_json(written)) if b"\\" in written else written[1:-1].decode("utf-8", "replace")
    except ValueError:
        return ""


def _in_form(raw: bytes, names: frozenset[str]) -> Iterator[Span]:
    start = 0
    for pair in raw.split(b"&"):
        name, sign, _ = pair.partition(b"=")
        if sign and _is_secret(unquote_plus(name.decode("utf-8", "replace")), names):
            yield start + len(name) + 1, start + len(pair)
        start += len(pair) + 1


def _in_text(raw: bytes, names: frozenset[str]) -> Iterable[Span]:
    """Return the secrets in XML, and in JSON that is not read as such; all of it where fields that prove may stand."""
    start = raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    is_clear = len(raw) <= MAX_LOOKED_THROUGH and _is_in_ascii(raw)
    if is_clear and start == b"<" and not names:
        return spans_in_xml(raw)
    if not names and not _mentions_secrets(raw):
        return []
    # a backslash is one in UTF-8: in Shift JIS and Big5 it may be half a letter
    return _in_json(raw, names) if is_clear and start in (b"{", b"[") and is_utf8(raw) else [(0, len(raw))]


def _is_secret(name: str, names: frozenset[str]) -> bool:
    return name in names or is_credential_name(name)
