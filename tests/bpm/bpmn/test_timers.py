"""ISO 8601 times, and when they are due."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bpm.bpmn.timers import Cycle, Duration, next_time, parse_cycle, parse_date, parse_duration
from bpm.expressions import EvaluationError

JANUARY = datetime(2026, 1, 31, 12, tzinfo=UTC)


def first_time(text: str) -> tuple[datetime, Any]:
    """When a cycle is due first, counted from January on, and what is kept for the next time."""
    cycle = parse_cycle(text)
    assert isinstance(cycle, Cycle)
    return cycle.first_time(JANUARY)


def later_time(data: Any, due: datetime) -> tuple[datetime, Any]:
    """When a cycle is due after the time that it was due at, which is not its last."""
    later = next_time(data, due)
    assert later is not None
    return later


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("PT0S", JANUARY),
        ("PT0.5S", JANUARY + timedelta(milliseconds=500)),
        ("PT1,5S", JANUARY + timedelta(milliseconds=1500)),
        ("PT90M", JANUARY + timedelta(minutes=90)),
        ("P1DT2H3M4S", JANUARY + timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("P2W", JANUARY + timedelta(weeks=2)),
        ("P1M", datetime(2026, 2, 28, 12, tzinfo=UTC)),
        ("P1Y1M", datetime(2027, 2, 28, 12, tzinfo=UTC)),
        ("P2Y1M", datetime(2028, 2, 29, 12, tzinfo=UTC)),
        ("P11M", datetime(2026, 12, 31, 12, tzinfo=UTC)),
    ],
)
def test_a_duration_is_added_by_the_calendar(text: str, due: datetime) -> None:
    """Months keep the day of the month where they can."""
    assert parse_duration(text).after(JANUARY) == due


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1H", "1D", "PT1", "-PT1S", "P1.5D", "PT1S ", None, 5, "P1D\n", "P٣D"]
)
def test_what_is_no_duration_is_refused(text: str | int | None) -> None:
    """Only the forms of the standard are read."""
    with pytest.raises(EvaluationError, match="is not an ISO 8601 duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["P9999Y", "P999999999Y", "P999999999D", "PT999999999H", "P999999999W"])
def test_a_duration_beyond_the_calendar_is_refused(text: str) -> None:
    """There is no year 10000 here."""
    with pytest.raises(EvaluationError, match=r"after the year 9999|too long"):
        parse_duration(text).after(JANUARY)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01T09:00:00Z", datetime(2026, 5, 1, 9, tzinfo=UTC)),
        ("2026-05-01T09:00:00+02:00", datetime(2026, 5, 1, 7, tzinfo=UTC)),
        ("2026-05-01T09:00:00", datetime(2026, 5, 1, 9, tzinfo=UTC)),
        ("2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2027-06-01T09:00:00[Europe/Berlin]", datetime(2027, 6, 1, 7, tzinfo=UTC)),
        ("2027-01-01T09:00:00[Europe/Berlin]", datetime(2027, 1, 1, 8, tzinfo=UTC)),
        ("2027-06-01T09:00:00@Europe/Berlin", datetime(2027, 6, 1, 7, tzinfo=UTC)),
        ("2027-06-01T09:00[Etc/GMT+5]", datetime(2027, 6, 1, 14, tzinfo=UTC)),
        ("2027-06-01T09:00:00+02:00[Europe/Berlin]", datetime(2027, 6, 1, 7, tzinfo=UTC)),
        ("2027-03-28T02:30:00[Europe/Berlin]", datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),
        ("2027-10-31T02:30:00[Europe/Berlin]", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_date_is_utc_unless_it_says_otherwise(text: str, moment: datetime) -> None:
    """And always aware."""
    assert parse_date(text) == moment
    assert parse_date(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", 5, None, "0001-01-01T00:00:00+14:00"])
def test_what_is_no_date_is_refused(text: str | int | None) -> None:
    """Nor is one before the calendar begins."""
    with pytest.raises(EvaluationError, match="is not an ISO 8601 date"):
        parse_date(text)


def test_a_cycle_has_a_count_a_start_and_an_interval() -> None:
    """Both count and start may be left out."""
    interval = Duration(0, timedelta(minutes=10))
    assert parse_cycle("R3/PT10M") == Cycle(3, None, interval)
    assert parse_cycle("R/PT10M") == Cycle(None, None, interval)
    assert first_time("R3/2026-02-01T00:00:00Z/PT10M")[0] == datetime(2026, 2, 1, tzinfo=UTC)
    assert first_time("R3/2020-02-01T00:00:00Z/PT10M")[0] == JANUARY + timedelta(minutes=10)


@pytest.mark.parametrize("text", ["", "R", "R3", "3/PT10M", "R3/PT10M/P1D/P1D", "R0/PT1S", "R/PT0S", "R3/soon", None])
def test_what_is_no_cycle_is_refused(text: str | None) -> None:
    """Nor is one that never fires, or fires for ever without a pause."""
    with pytest.raises(EvaluationError):
        parse_cycle(text)


@pytest.mark.parametrize("text", ["R3/2026-05-01T00:00:00Z/2026-05-02T00:00:00Z", "R/PT1H/2026-05-01T15:00:00Z"])
def test_an_interval_that_is_given_by_its_end_is_refused(text: str) -> None:
    """Other engines count its times in different ways; the sentence says what to write."""
    with pytest.raises(EvaluationError, match="says when it ends; give how often"):
        parse_cycle(text)


def test_a_cycle_keeps_its_rhythm_and_ends() -> None:
    """A late firing does not shift the next one; after the last there is none."""
    due, data = first_time("R2/PT10M")
    again = next_time(data, due + timedelta(seconds=30))
    assert again is not None
    assert again[0] == due + timedelta(minutes=10)
    assert next_time(again[1], again[0]) is None


@pytest.mark.parametrize("text", ["2027-06-01T09:00:00[Europe/Berlinn]", "2027-06-01T09:00:00[]", "x[Europe/Berlin]"])
def test_a_zone_that_does_not_exist_is_refused(text: str) -> None:
    """Rather than cut off."""
    with pytest.raises(EvaluationError, match="is not an ISO 8601 date"):
        parse_date(text)


def test_a_cycle_of_hours_passes_the_hour_that_comes_twice() -> None:
    """The second time is another moment, also as the beginning of a cycle of days."""
    due, data = first_time("R/2026-10-25T02:00:00+02:00[Europe/Berlin]/PT1H")
    found = [due]
    for _ in range(3):
        due, data = later_time(data, due)
        found.append(due)
    assert [moment.hour for moment in found] == [0, 1, 2, 3]
    due, data = first_time("R/2026-10-25T02:00:00+01:00[Europe/Berlin]/P1D")
    assert due == datetime(2026, 10, 25, 1, tzinfo=UTC)
    assert later_time(data, due)[0] == datetime(2026, 10, 26, 1, tzinfo=UTC)


def test_a_cycle_in_a_zone_keeps_its_hour_when_the_clocks_change() -> None:
    """Days follow the calendar of the zone, hours do not."""
    due, data = first_time("R/2027-03-27T09:00:00[Europe/Berlin]/P1D")
    assert due == datetime(2027, 3, 27, 8, tzinfo=UTC)
    due, data = later_time(json.loads(json.dumps(data)), due)
    assert due == datetime(2027, 3, 28, 7, tzinfo=UTC)
    assert later_time(data, due)[0] == datetime(2027, 3, 29, 7, tzinfo=UTC)
    due, data = first_time("R/2027-03-27T09:00:00[Europe/Berlin]/PT24H")
    assert later_time(data, due)[0] == datetime(2027, 3, 28, 8, tzinfo=UTC)


def times(text: str, count: int) -> list[str]:
    """When a cycle is due, so often, each time at once."""
    due, data = first_time(text)
    found = [due]
    while len(found) < count:
        due, data = later_time(json.loads(json.dumps(data)), due)
        found.append(due)
    return [each.isoformat()[:16] for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("R/2026-05-31T10:00:00Z/P1M", ["2026-05-31T10:00", "2026-06-30T10:00", "2026-07-31T10:00"]),
        ("R/P1M", ["2026-02-28T12:00", "2026-03-31T12:00", "2026-04-30T12:00"]),
        ("R/2024-02-29T10:00:00Z/P1Y", ["2026-02-28T10:00", "2027-02-28T10:00", "2028-02-29T10:00"]),
        ("R/2026-03-28T02:30:00[Europe/Berlin]/P1D", ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"]),
        ("R/2025-12-31T10:00:00[Europe/Berlin]/P1M", ["2026-02-28T09:00", "2026-03-31T08:00", "2026-04-30T08:00"]),
        ("R/2026-01-01T09:00:00[Europe/Berlin]/P1D", ["2026-02-01T08:00", "2026-02-02T08:00"]),
        ("R/2026-01-30T12:05:00Z/PT10M", ["2026-01-31T12:05", "2026-01-31T12:15"]),
        ("R/2026-03-01T00:30:00+02:00/P1M", ["2026-02-28T22:30", "2026-03-31T22:30", "2026-04-30T22:30"]),
        ("R/1900-01-31T12:00:00Z/P1M", ["2026-02-28T12:00", "2026-03-31T12:00"]),
    ],
)
def test_a_cycle_counts_from_where_it_began(text: str, expected: list[str]) -> None:
    """A short month or a skipped hour does not move the times behind it, nor does a beginning in the past."""
    assert times(text, len(expected)) == expected


def test_a_late_cycle_of_the_calendar_keeps_its_day_and_hour() -> None:
    """Those that were missed are not made up for."""
    due, data = first_time("R3/2026-05-31T10:00:00[Europe/Berlin]/P1M")
    again = next_time(data, due + timedelta(days=70))
    assert again is not None
    assert again[0] == datetime(2026, 8, 31, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "data",
    [
        ["2026-05-31T10:00:00+00:00", None, 1, 0.0],
        ["2026-05-31T08:00:00+00:00", None, 1, 0.0, 0, "Europe/Berlin"],
    ],
)
def test_a_cycle_that_an_earlier_version_began_goes_on(data: list[Any]) -> None:
    """As it was stored, without the moment that it began at."""
    due = datetime.fromisoformat(data[0])
    assert later_time(data, due)[0].isoformat()[:10] == "2026-06-30"
