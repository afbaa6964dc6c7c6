"""FEEL's dates, times and durations: of any year, exact to the nanosecond, with their zones (DMN 1.5, 10.3.2.3)."""

from typing import Any

import pytest

from bpm.expressions import compile_expression


def evaluate(source: str, **scope: Any):
    """The value of a FEEL expression, null where an operation does not fit."""
    return compile_expression("=" + source, "null").evaluate(scope)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('date("12026-03-01") - duration("P1D")', "12026-02-28"),
        ('date("-0044-03-15").year', -44),
        ('date("999999999-12-31")', "999999999-12-31"),
        ('date("1000000000-01-01")', None),
        ('date("02026-01-01")', None),
        ('date("2026-02-30")', None),
        ('date("2024-02-29") + duration("P1Y")', "2025-02-28"),
        ('time("09:00:00.123456789")', "09:00:00.123456789"),
        ('time("24:00:00")', None),
        ('date and time("2026-01-31T24:00:00")', "2026-02-01T00:00:00"),
        ('date and time("2026-01-01T09:00:00+18:30")', None),
        ('date and time("2026-01-01T09:00:00+02:00@Europe/Paris")', None),
        ('time(9, 30, 15, duration("PT2H"))', "09:30:15+02:00"),
        ('duration("P1DT2H3M4.000000005S")', "P1DT2H3M4.000000005S"),
        ('duration("PT90000S")', "P1DT1H"),
        ('duration("P99999999Y")', "P99999999Y"),
        ('duration("PT")', None),
        ('duration("P1Y1D")', None),
        ('@"P1D" * 1.5', "P1DT12H"),
        ('@"PT10S" * 0.7', "PT7S"),
        ('@"P1Y" / 5', "P2M"),
        ('@"P10D" / @"P4D"', 2.5),
    ],
)
def test_values_beyond_what_other_clocks_know(source: str, value: Any) -> None:
    """Years beyond 9999 and before Christ, nanoseconds, midnight at the end of a day; what does not exist is null."""
    assert evaluate(source) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('string(time("10:00:00@Europe/Berlin") + duration("PT1H"))', "11:00:00@Europe/Berlin"),
        ('string(@"2026-03-28T12:00:00@Europe/Berlin" + @"P1D")', "2026-03-29T13:00:00@Europe/Berlin"),
        ('@"2026-03-28T12:00:00@Europe/Berlin" + @"P1D"', "2026-03-29T13:00:00+02:00"),
        ('@"2026-10-25T01:30:00@Europe/Berlin" + @"PT1H"', "2026-10-25T02:30:00+02:00"),
        ('@"2026-10-25T01:30:00@Europe/Berlin" + @"PT2H"', "2026-10-25T02:30:00+01:00"),
        ('@"2026-10-25T03:30:00@Europe/Berlin" - @"PT1H"', "2026-10-25T02:30:00+01:00"),
        ('(@"2026-10-25T01:30:00@Europe/Berlin" + @"PT2H") - @"2026-10-25T01:30:00@Europe/Berlin"', "PT2H"),
        ('(@"2026-10-25T01:30:00@Europe/Berlin" + @"PT2H").time offset', "PT1H"),
        ('(@"2026-10-25T01:30:00@Europe/Berlin" + @"PT2H") = @"2026-10-25T02:30:00@Europe/Berlin"', False),
        ('@"2026-07-01T12:00:00@Europe/Berlin" = @"2026-07-01T10:00:00Z"', True),
        ('is(@"2026-07-01T12:00:00@Europe/Berlin", @"2026-07-01T12:00:00+02:00")', False),
        ('@"2026-07-01T12:00:00@Europe/Berlin".timezone', "Europe/Berlin"),
        ('@"2026-07-01T12:00:00@Europe/Berlin".time offset', "PT2H"),
        ('@"2026-07-01T12:00:00".time offset', None),
        ('@"2026-07-01T12:00:00@Mars/Olympus Mons" = null', None),
        ('@"2026-07-01T12:00:00" < @"2026-07-01T12:00:00Z"', None),
        ('@"2026-07-01T12:00:00Z" - @"2026-07-01"', "PT12H"),
        ('@"2026-07-01T12:00:00" - @"2026-07-01"', None),
    ],
)
def test_zones_are_kept_and_counted(source: str, value: str | bool | None) -> None:
    """A region's moments follow its clock; nothing with a zone is compared with something without."""
    if "Mars" in source:
        with pytest.raises(ValueError, match="no date, time or duration"):
            evaluate(source)
        return
    assert evaluate(source) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('@"2026-01-01" + @"PT36H"', "2026-01-02"),
        ('@"2026-01-02" - @"PT1S"', "2026-01-01"),
        ('@"09:00:00" + @"P1DT1H"', "10:00:00"),
        ('@"09:00:00" - @"10:00:00"', "-PT1H"),
        ('@"2026-01-01" + @"2026-01-01"', None),
        ('@"P1D" + @"P1M"', None),
        ('-@"P1D"', "-P1D"),
        ('@"09:00:00.1" = @"09:00:00.9"', True),
        ('@"09:00:00.1" < @"09:00:00.9"', True),
        ('@"2026-01-01" = @"2026-01-01T00:00:00"', None),
        ('@"P1Y" = @"P365D"', None),
        ('@"2027-01-01".weekday', 5),
        ('week of year(@"2027-01-01")', 53),
        ('week of year(@"2024-12-30")', 1),
        ('day of year(@"2024-12-31")', 366),
        ('last day of month(@"2028-02-01")', "2028-02-29"),
        ('years and months duration(@"2026-03-31", @"2026-02-28")', "-P1M"),
    ],
)
def test_arithmetic_of_the_standard(source: str, value: Any) -> None:
    """A date stays a date, a time goes round the clock, and a second is what equality looks at."""
    assert evaluate(source) == value


def test_every_day_has_one_number() -> None:
    """The count of days goes there and back, over leap days and centuries."""
    days = "for n in [-800000, -719529, -1, 0, 59, 60, 11016, 47541, 2932897, 365242498] return "
    there = compile_expression('=string(date("1970-01-01") + n * duration("P1D"))')
    for number in (-800_000, -719_529, -1, 0, 59, 60, 11_016, 47_541, 2_932_897, 365_242_498):
        text = there.evaluate({"n": number})
        back = compile_expression('=(date(text) - date("1970-01-01")) / duration("P1D")').evaluate({"text": text})
        assert back == number, text
    assert evaluate(days + 'date("1970-01-01") + n * duration("P1D")')[6] == "2000-02-29"
