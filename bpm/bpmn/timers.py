"""ISO 8601 durations, dates and repeating intervals, cron, and when they are due.

Source: ISO 8601-1:2019, 5.5 and 5.6, as BPMN 2.0.2 (10.5.5) asks for. A date without a zone is UTC.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bpm.bpmn.cron import Cron, is_cron, parse_cron
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
_ZONE = re.compile(r"(?<=:\d\d)\[\w+(?:/\w+)*\]$")
_REPEAT = re.compile(r"R(\d{0,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: whole months, which follow the calendar, and the rest."""

    months: int
    rest: timedelta

    def after(self, moment: datetime) -> datetime:
        """The moment this much later; raises EvaluationError beyond the year 9999."""
        try:
            return _add_months(moment, self.months) + self.rest
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
        due = self.start if self.start and self.start > now else self.interval.after(now)
        return due, [due.isoformat(), self.count, self.interval.months, self.interval.rest.total_seconds()]


def next_time(data: list[Any], now: datetime) -> tuple[datetime, list[Any]] | None:
    """When a cycle that fired is due again, with new data; None when it has fired often enough.

    It keeps its rhythm unless it is a whole interval late: missed times are not made up for in a burst.
    """
    if len(data) == 1:
        due = parse_cron(data[0]).after(now)
        return due, data
    last, count, months, seconds = data
    if count == 1:
        return None
    interval = Duration(months, timedelta(seconds=seconds))
    due = interval.after(datetime.fromisoformat(last))
    if due < now:
        due = interval.after(now)
    return due, [due.isoformat(), None if count is None else count - 1, months, seconds]


def parse_duration(value: Any) -> Duration:
    """Read `P1DT2H`, `PT0.5S`, `P2W`, `P3M`; raises EvaluationError."""
    if isinstance(value, timedelta):
        return Duration(0, value)
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    parts = {name: float(part.replace(",", ".")) for name, part in match.groupdict().items() if part} if match else {}
    if not parts:
        raise EvaluationError(f"'{value}' is not an ISO 8601 duration such as PT15M or P1DT12H")
    months = int(parts.pop("years", 0)) * 12 + int(parts.pop("months", 0))
    try:
        return Duration(months, timedelta(**parts))
    except OverflowError:
        raise EvaluationError(f"the duration '{value}' is too long") from None


def parse_date(value: Any) -> datetime:
    """Read `2026-05-01T09:00:00Z`, behind whose offset Camunda 8 allows `[Europe/Berlin]`; raises EvaluationError."""
    if isinstance(value, str):
        value = _ZONE.sub("", value)
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise EvaluationError(f"'{value}' is not an ISO 8601 date such as 2026-05-01T09:00:00Z") from None


def parse_cycle(value: Any) -> Cycle | Cron:
    """Read `R3/PT10M`, `R/PT1H`, `R5/2026-05-01T09:00:00Z/P1D`, or a cron expression; raises EvaluationError."""
    if isinstance(value, str) and is_cron(value):
        return parse_cron(value)
    parts = value.split("/") if isinstance(value, str) else []
    repeat = _REPEAT.fullmatch(parts[0]) if len(parts) in (2, 3) else None
    if repeat is None:
        raise EvaluationError(f"'{value}' is not an ISO 8601 repeating interval such as R3/PT10M")
    cycle = Cycle(
        count=int(repeat[1]) if repeat[1] else None,
        start=parse_date(parts[1]) if len(parts) == 3 else None,
        interval=parse_duration(parts[-1]),
    )
    if cycle.count == 0:
        raise EvaluationError(f"'{value}' never fires; repeat at least once")
    is_short = not cycle.interval.months and cycle.interval.rest < SHORTEST_INTERVAL
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
