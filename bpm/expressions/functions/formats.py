"""Numbers and moments written in a given form."""

import re
from decimal import ROUND_HALF_EVEN
from typing import Any

from bpm.metering import Meter
from bpm.number import exact, rounded

from .. import temporal
from ..errors import Unsuitable
from ..temporal import DateTime
from ..values import NUMBERS, writing
from .arguments import number, text, whole
from .registry import function

MOST_DECIMALS = 30
LONGEST_PATTERN = 100
NANOSECONDS = 1_000_000_000
_PART = re.compile(r"'([^']*)'|([A-Za-z])\2*|.", re.DOTALL)


@function("format", steps=8)
def written(value: Any, form: Any, *, meter: Meter) -> str:
    """A number with so many decimals, or a date as in `dd/MM/yyyy HH:mm:ss`; letters stand in single quotes."""
    if type(value) in NUMBERS:
        return _decimals(value, form, meter)
    if len(text(form)) > LONGEST_PATTERN:
        raise Unsuitable(f"a pattern has at most {LONGEST_PATTERN} characters")
    moment = temporal.to_datetime(value)
    return "".join(_part(match, moment) for match in _PART.finditer(form))


def _decimals(value: Any, places: Any, meter: Meter) -> str:
    if whole(places) not in range(MOST_DECIMALS + 1):
        raise Unsuitable(f"a number is written with 0 to {MOST_DECIMALS} decimals")
    meter.charge(writing(value))
    return format(exact(rounded(number(value), whole(places), ROUND_HALF_EVEN)), f".{whole(places)}f")


def _part(match: re.Match[str], moment: DateTime) -> str:
    """Write one part of a pattern."""
    if match[2] is None:
        return match[1] if match[1] is not None else match[0]
    seconds, nanoseconds = divmod(moment.time.nanoseconds, NANOSECONDS)
    parts = {
        "yyyy": f"{moment.date.year:04d}",
        "yy": f"{moment.date.year % 100:02d}",
        "MM": f"{moment.date.month:02d}",
        "dd": f"{moment.date.day:02d}",
        "HH": f"{seconds // 3600:02d}",
        "mm": f"{seconds // 60 % 60:02d}",
        "ss": f"{seconds % 60:02d}",
        "SSS": f"{nanoseconds // 1_000_000:03d}",
    }
    if match[0] not in parts:
        raise Unsuitable(f"a pattern has {', '.join(parts)}, and other letters in single quotes, not {match[0]}")
    return parts[match[0]]
