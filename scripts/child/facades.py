"""Modules as scripts see them: read-only objects that hold the listed members and nothing else."""

import base64
import binascii
import calendar
import collections
import datetime
import decimal
import enum
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
from collections.abc import Callable
from typing import Any

from scripts.child import clock, iterators, ordered_dict, plain, stand_ins, zones
from scripts.shared import policy

REAL = {
    module.__name__: module
    for module in (
        base64, binascii, calendar, collections, datetime, decimal, fractions, functools, hashlib, hmac, html,
        itertools, json, math, re, statistics, string, textwrap, urllib.parse, uuid,
    )
}  # fmt: skip


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
    value = getattr(REAL[module], name)
    if isinstance(value, enum.IntFlag | enum.IntEnum):
        return int(value)
    return CHECKED[module](value) if module in CHECKED and callable(value) and not isinstance(value, type) else value


HINT = Hint()

REPLACED: dict[str, Any] = {
    "json.loads": stand_ins.loads,
    "json.dumps": stand_ins.dumps,
    "datetime.date": clock.Date,
    "datetime.datetime": clock.Datetime,
    "hashlib.pbkdf2_hmac": stand_ins.pbkdf2_hmac,
    "uuid.uuid4": clock.uuid4,
    "random.Random": clock.new_random,
    "collections.namedtuple": stand_ins.namedtuple,
    "collections.OrderedDict": ordered_dict.OrderedDict,
    "itertools.accumulate": iterators.accumulate,
    "itertools.count": plain.plain(itertools.count),
    "itertools.groupby": iterators.groupby,
    "calendar.month_name": tuple(calendar.month_name),
    "calendar.month_abbr": tuple(calendar.month_abbr),
    "calendar.day_name": tuple(calendar.day_name),
    "calendar.day_abbr": tuple(calendar.day_abbr),
    "zoneinfo.ZoneInfo": zones.zone,
    "zoneinfo.ZoneInfoNotFoundError": zoneinfo.ZoneInfoNotFoundError,
    "zoneinfo.available_timezones": zones.keys,
    "typing.cast": stand_ins.cast,
    "re.sub": plain.plain(re.sub, callback=(1, "repl")),
    "re.subn": plain.plain(re.subn, callback=(1, "repl")),
    "textwrap.indent": plain.plain(textwrap.indent, callback=(2, "predicate")),
    "urllib.parse.quote": stand_ins.quote,
    "urllib.parse.quote_plus": stand_ins.quote_plus,
    "urllib.parse.urlencode": stand_ins.urlencode,
    "hmac.new": stand_ins.new_hmac,
    "hmac.digest": stand_ins.hmac_digest,
    "uuid.uuid3": plain.plain(uuid.uuid3),
    "uuid.uuid5": plain.plain(uuid.uuid5),
    "calendar.weekday": stand_ins.weekday,
    "calendar.monthrange": stand_ins.monthrange,
    "calendar.monthcalendar": plain.plain(calendar.monthcalendar),
    "statistics.mode": statistics.mode,
    "statistics.multimode": statistics.multimode,
    "statistics.median_low": statistics.median_low,
    "statistics.median_high": statistics.median_high,
}
"""Members that differ from the standard library's: a clock, dice, caps, or no doors."""


CHECKED: dict[str, Callable[[Callable[..., Any]], Any]] = {
    **dict.fromkeys(("re", "base64", "html", "calendar", "string", "textwrap", "urllib.parse"), plain.plain),
    "statistics": plain.numeric,
}
"""Modules whose functions are written in Python, and what checks their arguments. The few of `statistics` that only
sort and count are handed out as they are, for they take text, too."""


def preload() -> None:
    """Do once what the standard library does lazily with the file system."""
    importlib.import_module("_strptime")
    importlib.import_module("unicodedata")
    datetime.datetime.strptime("2026", "%Y")  # noqa: DTZ007  (only to warm its caches)
    for encoding in ("latin-1", "cp1252", "iso8859-15", "utf-8-sig", "utf-16", "utf-32", "ascii", "unicode_escape"):
        "a".encode(encoding)
    zones.load()
