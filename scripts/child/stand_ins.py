"""Functions that stand in for the standard library's, without callbacks, unbounded work and ways out of the sandbox."""

import calendar
import collections
import hashlib
import hmac
import json
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

from bpm.number import END, MARK, Number, number_of
from scripts.child.plain import plain
from scripts.shared import policy


def loads(
    text: str | bytes,
    *,
    parse_float: Callable[[str], Any] | None = None,
    parse_int: Callable[[str], Any] | None = None,
) -> Any:
    """Read JSON, its numbers digit for digit; hooks that build other objects are not offered."""
    return json.loads(text, parse_float=parse_float or number_of, parse_int=parse_int)


def dumps(
    value: Any,
    *,
    indent: int | str | None = None,
    sort_keys: bool = False,
    separators: tuple[str, str] | None = None,
    ensure_ascii: bool = True,
    allow_nan: bool = True,
    default: Callable[[Any], Any] | None = None,
) -> str:
    """Write JSON, numbers of JSON digit for digit."""

    def as_text(other: Any) -> Any:
        if isinstance(other, Number):
            return f"{MARK}{other!s}{END}"
        if default is None:
            raise TypeError(f"Object of type {type(other).__name__} is not JSON serializable")
        return default(other)

    written = json.dumps(
        value,
        indent=indent,
        sort_keys=sort_keys,
        separators=separators,
        ensure_ascii=ensure_ascii,
        allow_nan=allow_nan,
        default=as_text,
    )
    return written.replace(f'"{MARK}', "").replace(f'{END}"', "") if MARK in written else written


def pbkdf2_hmac(name: str, password: bytes, salt: bytes, iterations: int, dklen: int | None = None) -> bytes:
    """Derive a key; raises ValueError beyond the iterations a script may ask for."""
    if iterations > policy.PBKDF2_ITERATIONS:
        raise ValueError(f"pbkdf2_hmac takes at most {policy.PBKDF2_ITERATIONS} iterations in scripts")
    return hashlib.pbkdf2_hmac(name, password, salt, iterations, dklen)


def new_hmac(key: bytes, msg: bytes | None = None, digestmod: Any = "") -> hmac.HMAC:
    """Begin a message authentication code; `digestmod` is a name or a function of `hashlib`."""
    return hmac.new(key, msg, _digest_name(digestmod))


def hmac_digest(key: bytes, msg: bytes, digest: Any) -> bytes:
    """Return the message authentication code of a text."""
    return hmac.digest(key, msg, _digest_name(digest))


def _digest_name(digest: Any) -> str:
    """Return the name of a digest; raises TypeError for a function that is not of `hashlib`."""
    if type(digest) is str:
        return digest
    for name in policy.MODULES["hashlib"]:
        if digest is getattr(hashlib, name):
            return name
    raise TypeError("the digest must be a name such as 'sha256', or a function of hashlib such as hashlib.sha256")


quote = plain(urllib.parse.quote)
quote_plus = plain(urllib.parse.quote_plus)
_weekday = plain(calendar.weekday)
_monthrange = plain(calendar.monthrange)
_urlencode = plain(urllib.parse.urlencode, callback=(5, "quote_via"))


def urlencode(
    query: Any,
    doseq: bool = False,
    safe: str | bytes = "",
    encoding: str | None = None,
    errors: str | None = None,
    quote_via: Any = quote_plus,
) -> str:
    """Write a query; raises TypeError when `quote_via` is neither `quote` nor `quote_plus`."""
    if quote_via is not quote and quote_via is not quote_plus:
        raise TypeError("quote_via must be urllib.parse.quote or urllib.parse.quote_plus")
    return _urlencode(query, doseq, safe, encoding, errors, quote_via)


def namedtuple(
    typename: str,
    field_names: str | Iterable[str],
    *,
    rename: bool = False,
    defaults: Iterable[Any] | None = None,
) -> type:
    """Make a class of tuples with named fields; raises ValueError for names that Python would spell otherwise."""
    title = str(typename)
    names = field_names if isinstance(field_names, str) else [str(name) for name in field_names]
    for name in (title, *([names] if isinstance(names, str) else names)):
        if not unicodedata.is_normalized("NFKC", name):
            raise ValueError(f"names of a named tuple must be written in plain letters: {name!r}")
    return collections.namedtuple(title, names, rename=rename, defaults=defaults)  # type: ignore[misc]


def weekday(year: int, month: int, day: int) -> int:
    """Return the day of the week from 0, Monday, as a number: newer versions of Python have a class of their own."""
    return int(_weekday(year, month, day))


def monthrange(year: int, month: int) -> tuple[int, int]:
    """Return the day of the week that a month begins with, as `weekday`, and how many days it has."""
    first, days = _monthrange(year, month)
    return int(first), days


def cast(_hint: Any, value: Any) -> Any:
    """Return the value: types mean nothing at run time."""
    return value
