"""Zones: how far a time is from UTC, given as an offset or by the name of a region."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from .dates import CivilDate
from .ordered import DAY

MAX_OFFSET = 18 * 3600
"""Maximum seconds between a zone and UTC."""
_KNOWN_YEARS = range(2, 9999)


@dataclass(frozen=True, slots=True)
class Offset:
    """A fixed distance from UTC, in seconds."""

    seconds: int

    def __post_init__(self) -> None:
        """Refuse a distance that no zone has; raises ValueError."""
        if abs(self.seconds) > MAX_OFFSET:
            raise ValueError("a zone is at most 18 hours from UTC")


@dataclass(frozen=True, slots=True)
class Region:
    """A zone of the time zone database, whose distance from UTC depends on the day."""

    name: str

    def __post_init__(self) -> None:
        """Refuse a name that is not in the database; raises ValueError."""
        if self.name not in _names():
            raise ValueError(f"there is no zone {self.name}")


Zone = Offset | Region


def offset_of_local(zone: Zone, day: CivilDate, nanoseconds: int, is_repeated: bool = False) -> int:
    """The distance from UTC, in seconds, at a place on the local clock; when it was there again, if `is_repeated`."""
    if isinstance(zone, Offset):
        return zone.seconds
    return _seconds(_python(day, nanoseconds, _zone(zone.name)).replace(fold=int(is_repeated)))


def offset_of_moment(zone: Zone, position: int) -> int:
    """The distance from UTC, in seconds, so many nanoseconds after 1970 in UTC."""
    if isinstance(zone, Offset):
        return zone.seconds
    days, nanoseconds = divmod(position, DAY)
    return _seconds(_python(CivilDate.at(days), nanoseconds, UTC).astimezone(_zone(zone.name)))


def _seconds(moment: datetime) -> int:
    distance = moment.utcoffset() or timedelta()
    return distance.days * 86_400 + distance.seconds


def _python(day: CivilDate, nanoseconds: int, zone: tzinfo) -> datetime:
    """The same as a time of Python, beyond its years in a year of the same calendar."""
    year = day.year if day.year in _KNOWN_YEARS else 400 + day.year % 400 if day.year < 2 else 2000 + day.year % 400
    midnight = datetime(year, day.month, day.day, tzinfo=zone)
    return midnight + timedelta(microseconds=nanoseconds // 1000)


def known_zone(name: str) -> ZoneInfo | None:
    """The zone of a name; None when there is none."""
    return _zone(name) if name in _names() else None


@cache
def _names() -> frozenset[str]:
    """Every zone there is: to look for another one on the disk takes longer than to evaluate an expression."""
    return frozenset(available_timezones())


@cache
def _zone(name: str) -> ZoneInfo:
    """One of these zones, read from the disk once."""
    return ZoneInfo(name)
