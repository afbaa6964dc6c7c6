"""The time of the scope's clock."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .dates import CivilDate
from .moments import DateTime
from .ordered import NANOSECONDS
from .times import Time
from .zones import Offset

CLOCK = "now()"
"""The scope's key under which a caller may give the time as an aware datetime; no name can equal it."""


def now(scope: Mapping[str, Any]) -> DateTime:
    """The time of the scope's clock, else of the machine; a variable of that name is no clock."""
    try:
        moment = scope[CLOCK]
    except KeyError:
        moment = None
    return _from_python(moment if isinstance(moment, datetime) else datetime.now(UTC))


def _from_python(moment: datetime) -> DateTime:
    seconds = (moment.hour * 60 + moment.minute) * 60 + moment.second
    distance = moment.utcoffset()
    zone = Offset(0 if distance is None else distance.days * 86_400 + distance.seconds)
    time = Time(seconds * NANOSECONDS + moment.microsecond * 1000, zone)
    return DateTime(CivilDate(moment.year, moment.month, moment.day), time)
