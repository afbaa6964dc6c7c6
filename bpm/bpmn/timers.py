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
from bpm.bpmn.zones import find_zone, read_moment, zone_name
from bpm.expressions import EvaluationError
from bpm.shown import shown

SHORTEST_INTERVAL = timedelta(seconds=1)
"""A timer repeats at most once a second ..."""
MOST_SHORT = 10
"""... unless it does so only a few times."""

_DURATION = re.compile(
    r"P(?:(?P<years>\d{1,9})Y)?(?:(?P<months>\d{1,9})M)?(?:(?P<weeks>\d{1,9})W)?(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:[.,]\d{1,9})?)S)?)?",
    re.ASCII,
)
ANCHORED = 6
"""How much is stored of a cycle that counts its times from where it began; earlier versions stored less."""
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
        is_moved = self.months or self.days  # a local time that comes twice stays the one it is
        try:
            day = _add_months(moment, self.months) + timedelta(days=self.days) if is_moved else moment
            return day.astimezone(UTC) + self.rest
        except (OverflowError, ValueError):
            raise EvaluationError("the timer is due after the year 9999") from None


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repeating interval: how often (None: for ever), from when (None: from now), and the interval."""

    count: int | None
    start: datetime | None
    interval: Duration

    def first_time(self, now: datetime) -> tuple[datetime, list[Any]]:
        """When it is due for the first time, and the data for `next_time`; one that began before keeps its rhythm."""
        rhythm = Rhythm(self.start or now, self.interval)
        turn = 0 if self.start and self.start > now else rhythm.turn_after(now, 1)
        due = rhythm.time(turn)
        interval = self.interval
        if not rhythm.follows_calendar:
            return due, [due.isoformat(), self.count, interval.months, interval.seconds]
        return due, [due.isoformat(), self.count, *rhythm.data(), turn]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The times of a cycle, all counted from the `anchor`: on the 31st, or the last day of a shorter month."""

    anchor: datetime
    interval: Duration

    @property
    def follows_calendar(self) -> bool:
        """Whether its intervals are not all equally long: months, and days of a zone whose clocks change."""
        return bool(self.interval.months) or bool(self.interval.days and zone_name(self.anchor))

    def time(self, turn: int) -> datetime:
        """The moment of a turn, 0 for the anchor itself; raises EvaluationError beyond the year 9999."""
        months, rest, days = self.interval.months, self.interval.rest, self.interval.days
        try:
            return Duration(months * turn, rest * turn, days * turn).after(self.anchor)
        except OverflowError:
            raise EvaluationError("the timer is due after the year 9999") from None

    def turn_after(self, now: datetime, least: int) -> int:
        """The first turn, from the `least` on, that is after a moment."""
        length = timedelta(days=self.interval.months * 30.5, seconds=self.interval.seconds)
        if not length:
            return least
        turn = max(least, (now - self.anchor) // length - 1)
        while turn > least and self.time(turn - 1) > now:
            turn -= 1
        while self.time(turn) <= now:
            turn += 1
        return turn

    def data(self) -> list[Any]:
        """The same as JSON."""
        interval, zone = self.interval, zone_name(self.anchor)
        return [interval.months, interval.rest.total_seconds(), interval.days, zone, self.anchor.isoformat()]

    @classmethod
    def of_data(cls, data: list[Any]) -> "Rhythm":
        """The rhythm that `data` wrote."""
        months, seconds, days, zone, anchor = data
        moment = datetime.fromisoformat(anchor)
        begun = moment.astimezone(find_zone(zone)) if zone else moment
        return cls(begun, Duration(months, timedelta(seconds=float(seconds)), days))


def next_time(data: list[Any], now: datetime) -> tuple[datetime, list[Any]] | None:
    """When a cycle that fired is due again, with new data; None when it has fired often enough.

    It keeps its rhythm unless it is a whole interval late: missed times are not made up for in a burst. One that
    follows the calendar keeps it then as well.
    """
    if len(data) == 1:
        due = parse_cron(data[0]).after(now)
        return due, data
    last, count, *stored = data
    if count == 1:
        return None
    left = None if count is None else count - 1
    if len(stored) == ANCHORED:
        rhythm = Rhythm.of_data(stored[:-1])
        turn = rhythm.turn_after(now, stored[-1] + 1)
        due = rhythm.time(turn)
        return due, [due.isoformat(), left, *rhythm.data(), turn]
    months, seconds, *calendar = stored
    days, zone = calendar or (0, "UTC")
    interval = Duration(months, timedelta(seconds=float(seconds)), days)
    due = interval.after(datetime.fromisoformat(last).astimezone(find_zone(zone)))
    if due < now:
        due = interval.after(now)
    return due, [due.isoformat(), left, *stored]


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
    if slash and not interval.startswith("P"):
        raise EvaluationError(
            f"{shown(value)} says when it ends; give how often it repeats, when it begins if that is not now, and its "
            "interval, such as R5/2026-05-01T09:00:00Z/P1D"
        )
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
