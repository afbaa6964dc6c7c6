"""Times as providers write them: seconds or milliseconds since 1970, or ISO 8601."""

import re
from datetime import UTC, datetime

from .scheme import TimestampFormat

SECONDS = re.compile(r"[1-9][0-9]{0,11}")
"""No leading zero: within any tolerance a time has ten digits, so it can't give a digit to what stands beside it."""
MILLISECONDS = re.compile(r"[1-9][0-9]{0,14}")
ISO = re.compile(
    r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)

FORMS: dict[TimestampFormat, str] = {
    "seconds": "one number of seconds since 1970",
    "milliseconds": "one number of milliseconds since 1970",
    "iso": "one time as in 2030-01-31T12:00:00Z",
}


def read_stamp(text: str, form: TimestampFormat) -> float | None:
    """Return the seconds since 1970 that a text stands for; None if it is not in this form."""
    if form == "iso":
        return _iso(text)
    if not (SECONDS if form == "seconds" else MILLISECONDS).fullmatch(text):
        return None
    return int(text) if form == "seconds" else int(text) / 1000


def write_stamp(now: float, form: TimestampFormat) -> str:
    """Return a time as a provider would write it."""
    if form == "iso":
        return datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(int(now) if form == "seconds" else int(now * 1000))


def _iso(text: str) -> float | None:
    if not ISO.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None
