"""FEEL's filters, loops, ranges and types (DMN 1.5, 10.3.2)."""

from typing import Any

import pytest

from bpm.expressions import EvaluationError, compile_expression

ORDERS = [{"id": 1, "price": 5, "open": True}, {"id": 2, "price": 9, "open": False}, {"id": 3, "open": True}]


def evaluate(source: str, **scope: Any):
    """The value of a FEEL expression, null where an operation does not fit."""
    return compile_expression("=" + source, "null").evaluate({"orders": ORDERS, "n": 2, **scope})


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("orders.price[1]", 5),
        ("(orders.price)[2]", 9),
        ("orders[price > 4].id[-1]", 2),
        ("orders[open].id", [1, 3]),
        ("orders[n].id", 2),
        ("orders[count(orders)].id", 3),
        ("orders[n > 1].id", [1, 2, 3]),
        ("orders[item.id = n].price", [9]),
        ("orders[price = null].id", [3]),
        ('"alone"[1]', "alone"),
        ("7[item > 5]", [7]),
        ("7[2]", None),
        ("{a: 1}[1].a", 1),
        ("[1, 2, 3][1.5]", None),
        ("[[1, 2], [3]].a", [[None, None], [None]]),
        ('upper case(["one"])', "ONE"),
        ('upper case(["one", "two"])', None),
        ("count(5)", 1),
        ('string join("a", "-")', "a"),
        ("append(1, 2, [3])", [1, 2, [3]]),
        ("concatenate([1], 2)", [1, 2]),
        ("union(1, [2, 1])", [1, 2]),
        ("append(null, 1)", None),
    ],
)
def test_a_bracket_is_a_position_or_a_filter_by_its_value(source: str, value: Any) -> None:
    """After projections as before them; one value counts as a list of it, and a list of one as its element."""
    assert evaluate(source) == value


ITERATIONS: list[tuple[str, Any]] = [
    ("for i in 1..4 return if i = 1 then 1 else i * partial[-1]", [1, 2, 6, 24]),
    ("for i in 1..3 return count(partial)", [0, 1, 2]),
    ("for i in 1..2, j in 1..2 return count(partial)", [0, 1, 2, 3]),
    ("for i in 1..2 return partial", [[], [[]]]),
    ('for d in @"2026-12-30"..@"2027-01-02" return d.day', [30, 31, 1, 2]),
    ('for d in [@"2026-01-02"..@"2026-01-04") return d', ["2026-01-02", "2026-01-03"]),
    ('for d in @"2026-01-02"..@"2026-01-01" return d', ["2026-01-02", "2026-01-01"]),
    ("for i in [3..1] return i", None),
    ('for i in "a".."c" return i', None),
    ("for i in 5 return i + 1", [6]),
    ("for i in null return i", None),
    ("some i in [1, null] satisfies i > 0", True),
    ("some i in [0, null] satisfies i > 0", None),
    ("every i in [1, null] satisfies i > 0", None),
    ("every i in [0, null] satisfies i > 0", False),
    ("some i in [1], j in [2, 3] satisfies j = 3", True),
    ('some i in [1] satisfies "yes"', None),
    ("any([null, true])", True),
    ("any([null, false])", None),
    ("all([null, false])", False),
]


@pytest.mark.parametrize(("source", "value"), ITERATIONS)
def test_loops_and_three_valued_quantifiers(source: str, value: Any) -> None:
    """Over numbers, dates, lists and single values; what is neither true nor false makes the answer null."""
    assert evaluate(source) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{limits: [1..10), out: 10 in limits}.out", False),
        ('5 in [(> 3), "x"]', True),
        ("(< 10).end", 10),
        ("(< 10).start included", False),
        ("[1..5].start + 1", 2),
        ("]1..5[.end included", False),
        ("(< 10) = (null..10)", False),
        ("[1..5] = [1..5]", True),
        ("[5..1]", None),
        ('[1.."a"]', None),
        ('range("[1..5]") = [1..5]', True),
        ('range("[date(\\"2026-01-01\\")..@\\"2026-01-31\\"]").end.day', 31),
        ('range("1..5")', None),
        ("before([1..5), 5)", True),
        ("after(9, [1..5])", True),
        ("meets([1..5], [5..9])", True),
        ("overlaps([1..5], [5..9])", True),
        ("overlaps before([1..5], [3..9])", True),
        ("overlaps after([3..9], [1..5])", True),
        ("during([2..3], [1..5])", True),
        ("includes([1..5], 5)", True),
        ("starts([1..2], [1..5])", True),
        ("finished by([1..5], [4..5])", True),
        ("coincides([1..5], (1..5])", False),
        ("before(1, null)", None),
        ("{r: [1..5]}", {"r": "[1..5]"}),
    ],
)
def test_ranges_are_values(source: str, value: Any) -> None:
    """With properties, equality, and what Allen says of two; they leave as text."""
    assert evaluate(source) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('1 = "1"', None),
        ('1 != "1"', None),
        ('not(1 = "1")', None),
        ("true = 1", None),
        ("[] = 0", None),
        ("null = 1", False),
        ("null != 1", True),
        ("missing = null", True),
        ("[1, 2] instance of list<number>", True),
        ('[1, "2"] instance of list<number>', False),
        ("[1, null] instance of list<number>", True),
        ("{a: 1, b: 2} instance of context<a: number>", True),
        ('{a: "1"} instance of context<a: number>', False),
        ("[1..2] instance of range<number>", True),
        ("(function(a: number) a) instance of function<number> -> number", True),
        ("(function(a: string) a) instance of function<number> -> number", False),
        ("null instance of Any", False),
        ('if "x" then 1 else 2', 2),
    ],
)
def test_types_are_compared_as_the_standard_says(source: str, value: bool | int | None) -> None:
    """Values of two types are neither equal nor unequal; null is equal to null alone."""
    assert evaluate(source) == value


def test_a_condition_of_two_types_is_not_met() -> None:
    """Null counts as false where a condition is asked for."""
    assert compile_expression("=status = 1", "null").holds({"status": "1"}) is False


def test_the_routers_language_keeps_its_own_equality() -> None:
    """There 1 and "1" are just not equal."""
    assert compile_expression("status == 1").evaluate({"status": "1"}) is False


def test_a_loop_over_a_long_range_is_refused() -> None:
    """Before its elements are made."""
    with pytest.raises(EvaluationError, match="10000 elements"):
        evaluate("for i in [1..1000000000] return i")
