"""Values as texts by which one request or event is told from another, or kept in order with it."""

import hashlib
import json

from bpm.number import Number, whole

MAX_CHARACTERS = 200
"""Longer keys are replaced by their SHA-256."""
NUL = "\0"
"""What no text in PostgreSQL can hold."""


def text_of_key(value: object) -> str:
    """Return a value as text: one number has one text however it is written, one object whatever its fields' order."""
    if isinstance(value, str):
        return value
    plain = _plain(whole(value))
    if isinstance(plain, str):
        return plain
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_inside)


def _plain(value: object) -> object:
    """Return the shortest text of a number with a fraction, anything else as it is."""
    return str(value.normalize()) if isinstance(value, Number) else value


def _inside(value: object) -> object:
    """Return what JSON has for a value inside another one that it does not know."""
    return _plain(whole(value)) if isinstance(value, Number) else str(value)


def bounded_key(text: str) -> str:
    """Return a key as a database can hold it, of at most `MAX_CHARACTERS` characters or a digest."""
    if len(text) <= MAX_CHARACTERS and NUL not in text:
        return text
    return "sha256:" + hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
