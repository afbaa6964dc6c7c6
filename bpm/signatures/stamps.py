"""Times as providers write them: a number of some unit since 1970, ISO 8601, or the date of HTTP headers."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from .scheme import StampFormat

NUMBER = re.compile(r"[1-9][0-9]{0,20}")
"""No leading zero: within any tolerance a time has as many digits as now, and gives none to what stands beside it."""
UNITS: Mapping[StampFormat, int] = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
"""How many of them are a second."""
ISO = re.compile(
    r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})"
)
"""With a zone of one length, with its colon or without, so that what follows can't be taken for its minutes."""
HTTP = "%a, %d %b %Y %H:%M:%S GMT"
"""IMF-fixdate (RFC 9110, 5.6.7)."""

MILLISECOND_DIGITS = 13
ISO_SECONDS = len("2030-01-31T12:00:00")

FORMS: dict[StampFormat, str] = {
    "seconds": "one number of seconds since 1970",
    "milliseconds": "one number of milliseconds since 1970",
    "microseconds": "one number of microseconds since 1970",
    "nanoseconds": "one number of nanoseconds since 1970",
    "iso": "one time as in 2030-01-31T12:00:00Z",
    "unix": "one number of seconds or milliseconds since 1970",
    "http": "one date as in Thu, 31 Jan 2030 12:00:00 GMT",
}


def read_stamp(text: str, form: StampFormat) -> float | None:
    """Return the seconds since 1970 that a text stands for; None if it is not in this form."""
    if form == "iso":
        return _iso(text)
    if form == "http":
        return _http(text)
    return int(text) / _units(text, form) if NUMBER.fullmatch(text) else None


def write_stamp(now: float, form: StampFormat) -> str:
    """Return a time as a provider would write it."""
    if form == "iso":
        return datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if form == "http":
        return format_datetime(datetime.fromtimestamp(int(now), UTC), usegmt=True)
    return str(int(now * UNITS.get(form, 1)))


def shifted_stamp(text: str, form: StampFormat, seconds: int) -> str:
    """Return a readable time moved by whole seconds; what is below a second stays as it was written."""
    if form == "http":
        moved = datetime.strptime(text, HTTP).replace(tzinfo=UTC) + timedelta(seconds=seconds)
        return format_datetime(moved, usegmt=True)
    if form != "iso":
        return str(int(text) + seconds * _units(text, form))
    whole, rest = text[:ISO_SECONDS], text[ISO_SECONDS:]
    return (datetime.fromisoformat(whole) + timedelta(seconds=seconds)).isoformat() + rest


def _units(text: str, form: StampFormat) -> int:
    """Return how many of a number's units are a second; `unix` tells by its digits."""
    return UNITS["milliseconds"] if form == "unix" and len(text) == MILLISECOND_DIGITS else UNITS.get(form, 1)


def _iso(text: str) -> float | None:
    if not ISO.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _http(text: str) -> float | None:
    """Only the one way of writing a date counts, so that a text that is signed is one time."""
    try:
        moment = datetime.strptime(text, HTTP).replace(tzinfo=UTC)
        return moment.timestamp() if format_datetime(moment, usegmt=True) == text else None
    except (ValueError, OverflowError):
        return None
