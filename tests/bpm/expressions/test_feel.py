"""FEEL as modellers write it for Camunda 8."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bpm.expressions import CLOCK, ExpressionError, compile_expression

SCOPE = {
    "amount": 150,
    "paid": False,
    "name": "Ann",
    "items": [{"sku": "x", "price": 5}, {"sku": "y", "price": 15}, {"sku": "z"}],
    "due": "2026-01-31",
    "order": {"id": "o-1", "lines": [3, 1, 2]},
}


def evaluate(source: str):
    """The value of `source` as a process condition or mapping would see it."""
    return compile_expression(source, missing="null").evaluate(SCOPE)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("=amount > 100", True),
        ("= amount = 150", True),
        ("=amount > 100 and not(paid)", True),
        ('=if amount > 100 then "big" else "small"', "big"),
        ("=if unknown then 1 else 2", 2),
        ("=amount in [1..150]", True),
        ("=amount in (150..200]", False),
        ('=name in ("Ann", "Bob")', True),
        ("=amount between 100 and 200", True),
        ("=unknown > 5", None),
        ("=unknown = null", True),
        ("=unknown.deeper.path", None),
        ("=unknown and false", False),
        ("=unknown or true", True),
        ("=unknown and true", None),
        ("=not(unknown)", None),
        ('=amount + "x"', None),
        ("=items[1].sku", "x"),
        ("=items[-1].sku", "z"),
        ("=items[9]", None),
        ("=items[amount - 149].sku", "x"),
        ("=items.price", [5, 15, None]),
        ("=sum(items[price > 0].price)", 20),
        ("=count(items[price > 10])", 1),
        ('=items[sku = "y"][1].price', 15),
        ("=some x in items satisfies x.price > 10", True),
        ("=every x in order.lines satisfies x > 1", False),
        ("=for x in order.lines return x * amount", [450, 150, 300]),
        ("=for i in 1..3 return i", [1, 2, 3]),
        ("=for i in 3..1 return i", [3, 2, 1]),
        ('={id: order.id, "total": max(order.lines)}', {"id": "o-1", "total": 3}),
    ],
)
def test_conditions_and_mappings(source: str, value: Any) -> None:
    """Conditions and mappings written for Camunda 8 mean here what they mean there."""
    assert evaluate(source) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('=starts with(name, "A")', True),
        ('=ends with(name, "A")', False),
        ('=contains(name, "nn")', True),
        ("=upper case(name) + lower case(name)", "ANNann"),
        ("=string length(name)", 3),
        ("=length(order)", 2),
        ("=substring(name, 2)", "nn"),
        ("=substring(name, -2, 1)", "n"),
        ('=substring before("a@b", "@")', "a"),
        ('=substring after("a@b", "@")', "b"),
        ('=substring before("ab", "@")', ""),
        ('=split("a,b", ",")', ["a", "b"]),
        ('=string join(["a", null, "b"], "-")', "a-b"),
        ('=trim("  x ")', "x"),
        ('=is blank("  ")', True),
        ("=string(amount)", "150"),
        ("=string(null)", None),
        ("=string([1, true])", "[1,true]"),
        ('=number("12.50")', 12.5),
        ('=number("NaN")', None),
        ('=number("twelve")', None),
        ("=abs(-3)", 3),
        ("=floor(-1.5)", -2),
        ("=ceiling(1.2)", 2),
        ("=round(2.5)", 2),
        ("=decimal(1.115, 2)", 1.12),
        ("=modulo(-7, 3)", 2),
        ("=modulo(7, 0)", None),
        ("=modulo(7.5, 0.0)", None),
        ("=min(3, 1, 2)", 1),
        ('=max(["a", "b"])', "b"),
        ("=sum([])", None),
        ("=product(2, 3, 4)", 24),
        ("=mean(order.lines)", 2),
        ("=all(true, true)", True),
        ("=any([false, false])", False),
        ("=list contains(order.lines, 3)", True),
        ("=append([1], 2, 3)", [1, 2, 3]),
        ("=concatenate([1], [2])", [1, 2]),
        ('=distinct values([1, "1", 1.0])', [1, "1"]),
        ("=flatten([1, [2, [3]]])", [1, 2, 3]),
        ("=reverse(order.lines)", [2, 1, 3]),
        ("=sublist(order.lines, 2, 1)", [1]),
        ("=index of([1, 2, 1], 1)", [1, 3]),
        ('=get value(order, "id")', "o-1"),
        ('=get value(order, "nothing")', None),
        ("=get entries({a: 1})", [{"key": "a", "value": 1}]),
    ],
)
def test_functions(source: str, value: Any) -> None:
    """The built-in functions give what the DMN standard says."""
    assert evaluate(source) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('=date(due) > date("2026-01-30")', True),
        ("=date(due).year", 2026),
        ("=date(due).weekday", 6),
        ('=date(due) + duration("P1M")', "2026-02-28"),
        ('=date(due) - duration("P1Y")', "2025-01-31"),
        ('=date(due) + duration("P1D")', "2026-02-01"),
        ('=date(due) - date("2026-01-01")', "P30D"),
        ("=date(2026, 2, 30)", None),
        ('=duration("PT90M")', "PT1H30M"),
        ('=-1 * 2 + duration("P1D")', None),
        ('=duration("P1Y2M")', "P1Y2M"),
        ('=duration("PT0S")', "PT0S"),
        ('=duration("-P1DT1.5S")', "-P1DT1.5S"),
        ('=duration("P")', None),
        ('=duration("P1M1D")', None),
        ('=time("10:30:00").hour', 10),
        ('=date and time("2026-01-31T10:00:00Z")', "2026-01-31T10:00:00+00:00"),
        ('=date and time(date(due), time("10:30:00"))', "2026-01-31T10:30:00"),
        ('=date and time("2026-01-31T10:00:00Z") < date and time("2026-01-31T10:00:00")', None),
        ('={until: [date(due)]}', {"until": ["2026-01-31"]}),
    ],
)  # fmt: skip
def test_dates_leave_as_text(source: str, value: Any) -> None:
    """Dates, times and durations are calculated with, and leave an expression as ISO 8601 text."""
    assert evaluate(source) == value


def test_time_comes_from_the_callers_clock() -> None:
    """A caller's clock decides what now() and today() are, also inside loops."""
    scope = {CLOCK: datetime(2026, 5, 4, 12, tzinfo=UTC)}
    assert compile_expression("=today()").evaluate(scope) == "2026-05-04"
    later = '=for i in 1..1 return now() + duration("PT1H")'
    assert compile_expression(later).evaluate(scope) == ["2026-05-04T13:00:00+00:00"]
    assert compile_expression("=now()").evaluate({}) > "2026"


def test_lists_count_from_one_only_in_feel() -> None:
    """A leading `=` makes lists count from 1, without it they count from 0."""
    assert compile_expression("=items[1].sku").evaluate(SCOPE) == "x"
    assert compile_expression("items[1].sku").evaluate(SCOPE) == "y"
    with pytest.raises(ExpressionError, match="FEEL counts from 1"):
        compile_expression("=items[0]")
