"""Cron expressions, as Camunda's modellers write them into `timeCycle`: `0 0 9 * * MON-FRI`.

Five fields (minute, hour, day of month, month, day of week) or six with seconds in front; `*`, `?`, lists, ranges,
steps and English names; `@hourly`, `@daily` and so on. Sources: Quartz and Spring's documentation. Times are UTC.
As in Unix, when both days are restricted, either may match.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bpm.expressions import EvaluationError

MACROS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_DAY = re.compile(r"(?<!\w)\d(?!\w)")
BOUNDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
NAMES = {4: {name: number for number, name in enumerate(MONTHS, 1)}, 5: {n: i for i, n in enumerate(DAYS)}}
YEARS_AHEAD = 30


@dataclass(frozen=True, slots=True)
class Cron:
    """What each field allows; `either_day`: day of month and day of week are both restricted."""

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def after(self, moment: datetime) -> datetime:
        """The first time after a moment; raises EvaluationError when there is none for decades."""
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        day = start.replace(hour=0, minute=0, second=0)
        for _ in range(366 * YEARS_AHEAD):
            if day.month in self.months and self._is_day(day):
                time = self._time(start if day.date() == start.date() else day)
                if time:
                    return day.replace(hour=time[0], minute=time[1], second=time[2])
            day += timedelta(days=1)
        raise EvaluationError(f"'{self.text}' never comes")

    def _is_day(self, day: datetime) -> bool:
        in_month, in_week = day.day in self.days, (day.weekday() + 1) % 7 in self.weekdays
        return in_month or in_week if self.either_day else in_month and in_week

    def _time(self, start: datetime) -> tuple[int, int, int] | None:
        """The first time of a day that is not before `start`."""
        earliest = (start.hour, start.minute, start.second)
        times = ((h, m, s) for h in self.hours if h >= start.hour for m in self.minutes for s in self.seconds)
        return next((time for time in times if time >= earliest), None)


def from_quartz(text: str) -> str:
    """The same cron expression with the days of the week by name, which Quartz counts from 1, Sunday, to 7.

    Quartz's seventh field, the year, may only be `*`. What is no such expression is given back as it is.
    """
    fields = text.split()
    if len(fields) == 7 and fields[6] == "*":
        fields.pop()
    if len(fields) != 6 or not is_cron(" ".join(fields)):
        return text
    days = [part.partition("/") for part in fields[5].split(",")]
    fields[5] = ",".join(_DAY.sub(_named_day, span) + slash + step for span, slash, step in days)
    return " ".join(fields)


def _named_day(number: re.Match[str]) -> str:
    return DAYS[int(number[0]) - 1] if 1 <= int(number[0]) <= 7 else number[0]


def is_cron(text: str) -> bool:
    """Whether a text looks like cron rather than like an ISO 8601 interval."""
    return text.startswith("@") or len(text.split()) in (5, 6)


def parse_cron(text: str) -> Cron:
    """Read a cron expression; raises EvaluationError."""
    fields = MACROS.get(text.strip(), text).upper().split()
    if len(fields) == 5:
        fields.insert(0, "0")
    if len(fields) != 6:
        raise EvaluationError(f"'{text}' is not a cron expression such as 0 0 9 * * MON-FRI")
    try:
        sets = [_field(field, place) for place, field in enumerate(fields)]
    except ValueError:
        raise EvaluationError(f"'{text}' is not a cron expression such as 0 0 9 * * MON-FRI") from None
    weekdays = frozenset(day % 7 for day in sets[5])
    either = not fields[3].startswith(("*", "?")) and not fields[5].startswith(("*", "?"))
    times = [tuple(sorted(each)) for each in sets[:3]]
    return Cron(text, times[0], times[1], times[2], frozenset(sets[3]), frozenset(sets[4]), weekdays, either)


def _field(text: str, place: int) -> set[int]:
    low, high = BOUNDS[place]
    allowed: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span in ("*", "?"):
            start, end = low, high
        else:
            start = _number(first, place)
            end = _number(last, place) if dash else high if step else start
        numbers = range(start, end + 1, int(step or 1))
        if not numbers or not low <= start <= end <= high:
            raise ValueError
        allowed.update(numbers)
    return allowed


def _number(text: str, place: int) -> int:
    named = NAMES.get(place, {}).get(text)
    return int(text) if named is None else named
