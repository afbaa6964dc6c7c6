"""ISO 8601 durations, dates and repeating intervals, cron, and when they are due.

Source: ISO 8601-1:2019, 5.5 and 5.6, as BPMN 2.0.2 (10.5.5) asks for. A date without a zone is UTC. Days and months
are counted by the calendar of the zone, so that a timer for nine o'clock in Berlin stays there in summer and winter.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bpm.bpmn.cron import Cron, is_cron, parse_cron
from bpm.bpmn.shown import shown
from bpm.bpmn.zones import find_zone, read_moment, zone_name
from bpm.expressions import EvaluationError

SHORTEST_INTERVAL = timedelta(seconds=1)
"""A timer repeats at most once a second ..."""
MOST_SHORT = 10
"""... unless it does so only a few times."""

_DURATION = re.compile(
    r"P(?:(?P<years>\d{1,9})Y)?(?:(?P<months>\d{1,9})M)?(?:(?P<weeks>\d{1,9})W)?(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:[.,]\d{1,9})?)S)?)?",
    re.ASCII,
)
_REPEAT = re.compile(r"R(\d{0,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: whole months and days, which follow the calendar, and the rest."""

    months: int
    rest: timedelta
    days: int = 0

    @property
    def seconds(self) -> float:
        """How long it is beside its months, where a day has 24 hours."""
        return (timedelta(days=self.days) + self.rest).total_seconds()

    def after(self, moment: datetime) -> datetime:
        """The moment this much later, in UTC; raises EvaluationError beyond the year 9999."""
        try:
            return (_add_months(moment, self.months) + timedelta(days=self.days)).astimezone(UTC) + self.rest
        except (OverflowError, ValueError):
            raise EvaluationError("the timer is due after the year 9999") from None


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repeating interval: how often (None: for ever), from when (None: from now), and the interval."""

    count: int | None
    start: datetime | None
    interval: Duration

    def first_time(self, now: datetime) -> tuple[datetime, list[Any]]:
        """When it is due for the first time, and the data for `next_time`."""
        interval = self.interval
        due = self.start.astimezone(UTC) if self.start and self.start > now else interval.after(now)
        zone = zone_name(self.start) if self.start else ""
        if not zone:
            return due, [due.isoformat(), self.count, interval.months, interval.seconds]
        return due, [due.isoformat(), self.count, interval.months, interval.rest.total_seconds(), interval.days, zone]


def next_time(data: list[Any], now: datetime) -> tuple[datetime, list[Any]] | None:
    """When a cycle that fired is due again, with new data; None when it has fired often enough.

    It keeps its rhythm unless it is a whole interval late: missed times are not made up for in a burst.
    """
    if len(data) == 1:
        due = parse_cron(data[0]).after(now)
        return due, data
    last, count, months, seconds, *zoned = data
    if count == 1:
        return None
    days, zone = zoned or (0, "UTC")
    interval = Duration(months, timedelta(seconds=float(seconds)), days)
    due = interval.after(datetime.fromisoformat(last).astimezone(find_zone(zone)))
    if due < now:
        due = interval.after(now)
    return due, [due.isoformat(), None if count is None else count - 1, months, seconds, *zoned]


def parse_duration(value: Any) -> Duration:
    """Read `P1DT2H`, `PT0.5S`, `P2W`, `P3M`; raises EvaluationError."""
    if isinstance(value, timedelta):
        return Duration(0, value)
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    parts = {name: float(part.replace(",", ".")) for name, part in match.groupdict().items() if part} if match else {}
    if not parts:
        raise EvaluationError(f"{shown(value)} is not an ISO 8601 duration such as PT15M or P1DT12H")
    months = int(parts.pop("years", 0)) * 12 + int(parts.pop("months", 0))
    try:
        days = timedelta(weeks=parts.pop("weeks", 0), days=parts.pop("days", 0)).days
        return Duration(months, timedelta(**parts), days)
    except OverflowError:
        raise EvaluationError(f"the duration '{value}' is too long") from None


def parse_date(value: Any) -> datetime:
    """Read `2026-05-01T09:00:00Z` or `2026-05-01T09:00:00[Europe/Berlin]` as UTC; raises EvaluationError."""
    try:
        return _zoned_date(value).astimezone(UTC)
    except OverflowError:
        raise _no_date(value) from None


def _zoned_date(value: Any) -> datetime:
    """Read a date in the zone it names; raises EvaluationError."""
    try:
        moment = value if isinstance(value, datetime) else read_moment(value)
    except (AttributeError, TypeError, ValueError):
        raise _no_date(value) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _no_date(value: Any) -> EvaluationError:
    return EvaluationError(
        f"{shown(value)} is not an ISO 8601 date such as 2026-05-01T09:00:00Z or 2026-05-01T09:00:00[Europe/Berlin]"
    )


def parse_cycle(value: Any) -> Cycle | Cron:
    """Read `R3/PT10M`, `R/PT1H`, `R5/2026-05-01T09:00:00Z/P1D`, or a cron expression; raises EvaluationError."""
    if isinstance(value, str) and is_cron(value):
        return parse_cron(value)
    repeats, _, rest = value.partition("/") if isinstance(value, str) else ("", "", "")
    start, slash, interval = rest.rpartition("/")
    repeat = _REPEAT.fullmatch(repeats)
    if repeat is None or not rest:
        raise EvaluationError(f"{shown(value)} is not an ISO 8601 repeating interval such as R3/PT10M")
    cycle = Cycle(
        count=int(repeat[1]) if repeat[1] else None,
        start=_zoned_date(start) if slash else None,
        interval=parse_duration(interval),
    )
    if cycle.count == 0:
        raise EvaluationError(f"'{value}' never fires; repeat at least once")
    is_short = not cycle.interval.months and cycle.interval.seconds < SHORTEST_INTERVAL.total_seconds()
    if is_short and (cycle.count is None or cycle.count > MOST_SHORT):
        often = "for ever" if cycle.count is None else f"{cycle.count} times"
        raise EvaluationError(
            f"'{value}' fires {often} without a pause; a timer that repeats more than {MOST_SHORT} times needs an "
            f"interval of at least {SHORTEST_INTERVAL.seconds} second, such as R/PT1S"
        )
    return cycle


def _add_months(moment: datetime, months: int) -> datetime:
    if not months:
        return moment
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))
