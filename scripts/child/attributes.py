"""The attributes that a script may read, by the kind of object they are read from; all others are closed.

`guards` reads these tables, and `tests/scripts/test_reachable_objects.py` walks over everything they open. A method
implemented in C checks its own `self`, so it may also be read from its class (`map(str.strip, lines)`). Functions and
properties written in Python do not: they are readable on instances only.
"""

import datetime
import decimal
import fractions
import functools
import hashlib
import hmac
import itertools
import json
import random
import re
import time
import urllib.parse
import uuid
import zoneinfo
from collections import ChainMap, Counter, defaultdict, deque
from collections.abc import ItemsView, KeysView, ValuesView
from types import GeneratorType, MethodDescriptorType
from typing import NamedTuple, cast

from bpm.number import Number
from scripts.child import clock
from scripts.child.interface import CommandError
from scripts.child.ordered_dict import OrderedDict
from scripts.shared import policy

Names = frozenset[str]


def _names(text: str, *more: Names) -> Names:
    return frozenset(text.split()).union(*more)


_BYTES = _names(
    "capitalize center count decode endswith expandtabs find fromhex hex index isalnum isalpha isascii isdigit "
    "islower isspace istitle isupper join ljust lower lstrip maketrans partition removeprefix removesuffix replace "
    "rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title translate upper "
    "zfill"
)
_DICT = _names("clear copy fromkeys get items keys pop popitem setdefault update values")
_FROZENSET = _names("copy difference intersection isdisjoint issubset issuperset symmetric_difference union")
_ERROR = _names("add_note args with_traceback")
_UNICODE_ERROR = _names("encoding end object reason start", _ERROR)
_PARSE_ERROR = _names("colno lineno msg pos", _ERROR)
_ZONE = _names("dst fromutc tzname utcoffset")
_DATE = _names(
    "ctime day fromisocalendar fromisoformat fromordinal fromtimestamp isocalendar isoformat isoweekday max min month "
    "replace resolution strftime timetuple today toordinal weekday year"
)
_DATETIME = _names(
    "astimezone combine date dst fold hour microsecond minute now second strptime time timestamp timetz tzinfo tzname "
    "utcfromtimestamp utcnow utcoffset utctimetuple",
    _DATE,
)
_HASH = _names("block_size copy digest digest_size hexdigest name update")
_URL = _names("_asdict _fields _replace count fragment geturl index netloc path query scheme")
_SERVER = _names("hostname password port username")
_DEFRAGMENTED = _names("_asdict _fields _replace count fragment geturl index url")
_NUMBER = _names("as_integer_ratio conjugate denominator imag numerator real")
_SETTINGS = _names("Emax Emin capitals clamp flags prec rounding traps")

_DECIMAL = _names(
    "adjusted as_integer_ratio as_tuple canonical compare compare_signal compare_total compare_total_mag conjugate "
    "copy_abs copy_negate copy_sign exp fma from_float imag is_canonical is_finite is_infinite is_nan is_normal "
    "is_qnan is_signed is_snan is_subnormal is_zero ln log10 logb logical_and logical_invert logical_or "
    "logical_xor max max_mag min min_mag next_minus next_plus next_toward normalize number_class quantize radix "
    "real remainder_near rotate same_quantum scaleb shift sqrt to_eng_string to_integral to_integral_exact "
    "to_integral_value"
)

_EMPTY: dict[str, str] = {}

MEMBERS: dict[type, Names] = {
    str: _names(
        "capitalize casefold center count encode endswith expandtabs find index isalnum isalpha isascii isdecimal "
        "isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip maketrans "
        "partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines "
        "startswith strip swapcase title translate upper zfill"
    ),
    bytes: _BYTES,
    bytearray: _names("append clear copy extend insert pop remove reverse", _BYTES),
    int: _names("bit_count bit_length from_bytes is_integer to_bytes", _NUMBER),
    float: _names("as_integer_ratio conjugate fromhex hex imag is_integer real"),
    complex: _names("conjugate imag real"),
    list: _names("append clear copy count extend index insert pop remove reverse sort"),
    tuple: _names("count index"),
    dict: _DICT,
    set: _names(
        "add clear difference_update discard intersection_update pop remove symmetric_difference_update update",
        _FROZENSET,
    ),
    frozenset: _FROZENSET,
    range: _names("count index start step stop"),
    slice: _names("indices start step stop"),
    property: _names("deleter getter setter"),
    GeneratorType: _names("close send throw"),
    type(_EMPTY.keys()): _names("isdisjoint"),
    type(_EMPTY.items()): _names("isdisjoint"),
    type(_EMPTY.values()): _names(""),
    KeysView: _names("isdisjoint"),
    ItemsView: _names("isdisjoint"),
    ValuesView: _names(""),
    defaultdict: _names("default_factory", _DICT),
    OrderedDict: _names("move_to_end", _DICT),
    Counter: _names("elements most_common subtract total", _DICT),
    ChainMap: _names("clear copy get items keys maps new_child parents pop popitem setdefault update values"),
    deque: _names(
        "append appendleft clear copy count extend extendleft index insert maxlen pop popleft remove reverse rotate"
    ),
    itertools.chain: _names("from_iterable"),
    functools.partial: _names("args func keywords"),
    BaseException: _ERROR,
    StopIteration: _names("value", _ERROR),
    OSError: _names("errno filename filename2 strerror", _ERROR),
    ImportError: _names("msg name path", _ERROR),
    NameError: _names("name", _ERROR),
    AttributeError: _names("name", _ERROR),
    UnicodeDecodeError: _UNICODE_ERROR,
    UnicodeEncodeError: _UNICODE_ERROR,
    SyntaxError: _names("end_lineno end_offset filename lineno msg offset text", _ERROR),
    json.JSONDecodeError: _names("doc", _PARSE_ERROR),
    re.error: _names("pattern", _PARSE_ERROR),
    CommandError: _names("code errors message", _ERROR),
    datetime.date: _DATE,
    datetime.datetime: _DATETIME,
    clock.Date: _DATE,
    clock.Datetime: _DATETIME,
    datetime.time: _names(
        "dst fold fromisoformat hour isoformat max microsecond min minute replace resolution second strftime tzinfo "
        "tzname utcoffset"
    ),
    datetime.timedelta: _names("days max microseconds min resolution seconds total_seconds"),
    datetime.timezone: _names("max min utc", _ZONE),
    zoneinfo.ZoneInfo: _names("key", _ZONE),
    time.struct_time: _names(
        "tm_gmtoff tm_hour tm_isdst tm_mday tm_min tm_mon tm_sec tm_wday tm_yday tm_year tm_zone count index"
    ),
    type(datetime.date.min.isocalendar()): _names("count index week weekday year"),
    decimal.Decimal: _DECIMAL,
    Number: _names("is_integer", _DECIMAL),
    decimal.Context: _names(
        "Etiny Etop abs add canonical clear_flags clear_traps compare compare_signal compare_total compare_total_mag "
        "copy copy_abs copy_decimal copy_negate copy_sign create_decimal create_decimal_from_float divide divide_int "
        "divmod exp fma is_canonical is_finite is_infinite is_nan is_normal is_qnan is_signed is_snan is_subnormal "
        "is_zero ln log10 logb logical_and logical_invert logical_or logical_xor max max_mag min min_mag minus "
        "multiply next_minus next_plus next_toward normalize number_class plus power quantize radix remainder "
        "remainder_near rotate same_quantum scaleb shift sqrt subtract to_eng_string to_integral_exact "
        "to_integral_value to_sci_string",
        _SETTINGS,
    ),
    type(decimal.Context().traps): _names("copy get items keys values"),
    fractions.Fraction: _names("from_decimal from_float is_integer limit_denominator", _NUMBER),
    uuid.UUID: _names(
        "bytes bytes_le clock_seq clock_seq_hi_variant clock_seq_low fields hex int node time time_hi_version time_low "
        "time_mid urn variant version"
    ),
    re.Pattern: _names(
        "findall finditer flags fullmatch groupindex groups match pattern search split sub subn"
    ),
    re.Match: _names(
        "end endpos expand group groupdict groups lastgroup lastindex pos re regs span start string"
    ),
    hmac.HMAC: _HASH,
    urllib.parse.ParseResult: _names("encode params", _URL, _SERVER),
    urllib.parse.SplitResult: _names("encode", _URL, _SERVER),
    urllib.parse.DefragResult: _names("encode", _DEFRAGMENTED),
    urllib.parse.ParseResultBytes: _names("decode params", _URL, _SERVER),
    urllib.parse.SplitResultBytes: _names("decode", _URL, _SERVER),
    urllib.parse.DefragResultBytes: _names("decode", _DEFRAGMENTED),
    random.Random: frozenset(policy.MODULES["random"]) - {"Random"},
}  # fmt: skip
"""What an instance of exactly this class shows. Of classes that derive from it, it decides on what it defines."""

MEMBERS.update(
    (type(cast("object", getattr(hashlib, name)(b""))), _HASH)
    for name in policy.MODULES["hashlib"]
    if name != "pbkdf2_hmac"
)

CLASS_MEMBERS: dict[type, Names] = {
    str: _names("maketrans"),
    bytes: _names("fromhex maketrans"),
    bytearray: _names("fromhex maketrans"),
    int: _names("from_bytes"),
    float: _names("fromhex"),
    dict: _names("fromkeys"),
    OrderedDict: _names("fromkeys"),
    itertools.chain: _names("from_iterable"),
    datetime.date: _names("fromisocalendar fromisoformat fromordinal fromtimestamp max min resolution"),
    datetime.datetime: _names(
        "combine fromisoformat fromtimestamp max min resolution strptime utcfromtimestamp"
    ),
    clock.Date: _names("today"),
    clock.Datetime: _names("now today utcnow"),
    datetime.time: _names("fromisoformat max min resolution"),
    datetime.timedelta: _names("max min resolution"),
    datetime.timezone: _names("max min utc"),
    decimal.Decimal: _names("from_float"),
    fractions.Fraction: _names("from_decimal from_float"),
}  # fmt: skip
"""What a class shows besides the C methods of its instances: constructors and constants."""

RECORD_CLASS_MEMBERS = _names("_fields _make")
"""What a class made by `namedtuple` shows."""

SETTABLE: dict[type, Names] = {decimal.Context: _SETTINGS, defaultdict: _names("default_factory")}
"""Attributes that a script may set on objects that are not its own."""


def is_record(value: object) -> bool:
    """Tell whether a value is a class that `namedtuple` made."""
    return type(value) is type and value.__bases__ == (tuple,) and "_fields" in vars(value)


def on_instance(base: type, name: str) -> bool:
    """Tell whether instances of a class that defines an attribute show it to scripts."""
    if is_record(base):
        return name in policy.RECORD_ATTRIBUTES or type(vars(base)[name]) is RECORD_FIELD
    return name in MEMBERS.get(base, ())


def on_class(base: type, name: str) -> bool:
    """Tell whether a class that defines an attribute shows it to scripts when it is read from the class."""
    if is_record(base):
        return name in RECORD_CLASS_MEMBERS
    if name in CLASS_MEMBERS.get(base, ()):
        return True
    return name in MEMBERS.get(base, ()) and isinstance(vars(base)[name], MethodDescriptorType)


class _Record(NamedTuple):
    field: str


RECORD_FIELD: type[object] = type(cast("object", vars(_Record)["field"]))
"""The class of the descriptor behind a field of a named tuple."""
