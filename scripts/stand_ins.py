"""Functions that stand in for the standard library's where scripts get less: no hooks, no bombs, no doors."""

import collections
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

from scripts import policy


def loads(
    text: str | bytes,
    *,
    parse_float: Callable[[str], Any] | None = None,
    parse_int: Callable[[str], Any] | None = None,
) -> Any:
    """Read JSON; hooks that build other objects are not offered."""
    return json.loads(text, parse_float=parse_float, parse_int=parse_int)


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
    """Write JSON."""
    return json.dumps(
        value,
        indent=indent,
        sort_keys=sort_keys,
        separators=separators,
        ensure_ascii=ensure_ascii,
        allow_nan=allow_nan,
        default=default,
    )


def pbkdf2_hmac(name: str, password: bytes, salt: bytes, iterations: int, dklen: int | None = None) -> bytes:
    """Derive a key; raises ValueError beyond the iterations a script may ask for."""
    if iterations > policy.PBKDF2_ITERATIONS:
        raise ValueError(f"pbkdf2_hmac takes at most {policy.PBKDF2_ITERATIONS} iterations in scripts")
    return hashlib.pbkdf2_hmac(name, password, salt, iterations, dklen)


def namedtuple(
    typename: str,
    field_names: str | Iterable[str],
    *,
    rename: bool = False,
    defaults: Iterable[Any] | None = None,
) -> type:
    """Make a class of tuples with named fields."""
    return collections.namedtuple(typename, field_names, rename=rename, defaults=defaults)  # type: ignore[misc]


def cast(_hint: Any, value: Any) -> Any:
    """Return the value: types mean nothing at run time."""
    return value
