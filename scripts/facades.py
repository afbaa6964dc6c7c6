"""Modules as scripts see them: read-only objects that hold the listed members and nothing else."""

import base64
import binascii
import calendar
import collections
import datetime
import decimal
import fractions
import functools
import hashlib
import hmac
import html
import importlib
import itertools
import json
import math
import re
import statistics
import string
import textwrap
import urllib.parse
import uuid
import zoneinfo
from collections.abc import Callable, Iterable
from typing import Any

from scripts import clock, policy

REAL = {
    module.__name__: module
    for module in (
        base64, binascii, calendar, collections, datetime, decimal, fractions, functools, hashlib, hmac, html,
        itertools, json, math, re, statistics, string, textwrap, urllib.parse, uuid,
    )
}  # fmt: skip

ZONES: dict[str, zoneinfo.ZoneInfo] = {}
"""Every time zone of the machine, read before the file system is closed."""


class Facade:
    """A module of a script. It has no `__name__`: with one, `from x import y` would fall back to real modules."""

    __slots__ = ("_members", "_title")

    def __init__(self, title: str, members: dict[str, Any]) -> None:
        object.__setattr__(self, "_title", title)
        object.__setattr__(self, "_members", members)

    def __getattr__(self, name: str) -> Any:
        """Return a member."""
        members: dict[str, Any] = object.__getattribute__(self, "_members")
        if name not in members:
            raise AttributeError(f"module '{self._title}' has no member '{name}' in scripts")
        return members[name]

    def __setattr__(self, name: str, value: Any) -> None:
        raise TypeError("modules are read-only in scripts")

    def __repr__(self) -> str:
        return f"<module '{self._title}'>"


class Hint:
    """A name of `typing`: it can be subscripted and joined, and means nothing at run time."""

    __slots__ = ()

    def __getitem__(self, item: Any) -> "Hint":
        return self

    def __or__(self, other: Any) -> "Hint":
        return self

    __ror__ = __or__

    def __call__(self, *args: Any, **kwargs: Any) -> "Hint":
        """Stand for whatever the hint would make."""
        return self


def load_zones() -> None:
    """Read all time zones into memory."""
    for key in zoneinfo.available_timezones():
        ZONES[key] = zoneinfo.ZoneInfo(key)


def build() -> dict[str, Facade]:
    """Return a facade for every module of the policy."""
    built = {
        name: Facade(name, {member: _member(name, member) for member in members})
        for name, members in policy.MODULES.items()
        if name != "urllib"
    }
    built["urllib"] = Facade("urllib", {"parse": built["urllib.parse"]})
    return built


def _member(module: str, name: str) -> Any:
    key = f"{module}.{name}"
    if key in REPLACED:
        return REPLACED[key]
    if module == "random":
        return getattr(clock.DICE, name)
    if module == "typing":
        return HINT
    return getattr(REAL[module], name)


def _loads(
    text: str | bytes,
    *,
    parse_float: Callable[[str], Any] | None = None,
    parse_int: Callable[[str], Any] | None = None,
) -> Any:
    return json.loads(text, parse_float=parse_float, parse_int=parse_int)


def _dumps(
    value: Any,
    *,
    indent: int | str | None = None,
    sort_keys: bool = False,
    separators: tuple[str, str] | None = None,
    ensure_ascii: bool = True,
    allow_nan: bool = True,
    default: Callable[[Any], Any] | None = None,
) -> str:
    return json.dumps(
        value,
        indent=indent,
        sort_keys=sort_keys,
        separators=separators,
        ensure_ascii=ensure_ascii,
        allow_nan=allow_nan,
        default=default,
    )


def _pbkdf2_hmac(name: str, password: bytes, salt: bytes, iterations: int, dklen: int | None = None) -> bytes:
    if iterations > policy.PBKDF2_ITERATIONS:
        raise ValueError(f"pbkdf2_hmac takes at most {policy.PBKDF2_ITERATIONS} iterations in scripts")
    return hashlib.pbkdf2_hmac(name, password, salt, iterations, dklen)


def _namedtuple(
    typename: str,
    field_names: str | Iterable[str],
    *,
    rename: bool = False,
    defaults: Iterable[Any] | None = None,
) -> type:
    return collections.namedtuple(typename, field_names, rename=rename, defaults=defaults)  # type: ignore[misc]


def _zone(key: str) -> zoneinfo.ZoneInfo:
    if type(key) is not str or key not in ZONES:
        raise zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {key}")
    return ZONES[key]


def _cast(_hint: Any, value: Any) -> Any:
    return value


HINT = Hint()

REPLACED: dict[str, Any] = {
    "json.loads": _loads,
    "json.dumps": _dumps,
    "datetime.date": clock.Date,
    "datetime.datetime": clock.Datetime,
    "hashlib.pbkdf2_hmac": _pbkdf2_hmac,
    "uuid.uuid4": clock.uuid4,
    "random.Random": clock.new_random,
    "collections.namedtuple": _namedtuple,
    "calendar.month_name": tuple(calendar.month_name),
    "calendar.month_abbr": tuple(calendar.month_abbr),
    "calendar.day_name": tuple(calendar.day_name),
    "calendar.day_abbr": tuple(calendar.day_abbr),
    "zoneinfo.ZoneInfo": _zone,
    "zoneinfo.ZoneInfoNotFoundError": zoneinfo.ZoneInfoNotFoundError,
    "zoneinfo.available_timezones": lambda: set(ZONES),
    "typing.cast": _cast,
}
"""Members that differ from the standard library's: a clock, dice, caps, or no doors."""


def preload() -> None:
    """Do once what the standard library does lazily with the file system."""
    importlib.import_module("_strptime")
    importlib.import_module("unicodedata")
    datetime.datetime.strptime("2026", "%Y")  # noqa: DTZ007  (only to warm its caches)
    for encoding in ("latin-1", "cp1252", "iso8859-15", "utf-8-sig", "utf-16", "utf-32", "ascii", "unicode_escape"):
        "a".encode(encoding)
    load_zones()
