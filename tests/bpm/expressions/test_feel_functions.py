"""FEEL's functions as values, and arguments by their names (DMN 1.5, 10.3.2.13)."""

from typing import Any

import pytest

from bpm.expressions import EvaluationError, ExpressionError, compile_expression


def evaluate(source: str, **scope: Any):
    """The value of a FEEL expression, null where an operation does not fit."""
    return compile_expression("=" + source, "null").evaluate(scope)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{twice: function(n) n * 2, out: twice(twice(3))}.out", 12),
        ("(function(a, b) a - b)(7, 2)", 5),
        ("(function(a, b) a - b)(b: 7, a: 2)", -5),
        ("(function(a, b) a - b)(7)", None),
        ("(function(a) a)(b: 7)", None),
        ("{add: function(a) function(b) a + b, out: add(2)(40)}.out", 42),
        ("{k: 10, f: function(n) n + k, out: for k in [1] return f(1)}.out", [11]),
        ('(function(price: number) price)("free")', None),
        ("(function(price: number) price)([5])", 5),
        ("(function(prices: list<number>) count(prices))(5)", 1),
        ('(function(day: date and time) day)(@"2026-05-01")', "2026-05-01T00:00:00+00:00"),
        ("{total cost: 4, out: total cost + 1}.out", 5),
        ("for unit price in [1, 2] return unit price * 2", [2, 4]),
        ("(function(unit price) unit price)(unit price: 3)", 3),
        ('substring(start position: 2, string: "ledger")', "edger"),
        ('contains(match: "a", string: "bank")', True),
        ("time(hour: 9, minute: 5, second: 0)", "09:05:00"),
        ("list replace([1, 5, 9], function(item, newItem) item > newItem, 4)", [1, 4, 4]),
        ("sort([3, 1, 2], function(a, b) a > b)", [3, 2, 1]),
        ("5(1)", None),
        ('"sum"([1])', None),
    ],
)
def test_functions_are_values(source: str, value: Any) -> None:
    """They see the names where they stand, take arguments by place or name, and hold to the types they declare."""
    assert evaluate(source) == value


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("total(1)", "there is no function total"),
        ("abs(number: 1, n: 2)", "has no parameters"),
        ("abs(value: 1)", "has no parameters value"),
        ('substring("a", length: 1)', "either all arguments have names"),
        ('function(a) external {java: {class: "X"}}', "external functions are not evaluated"),
        ('matches("a", "a*")', "a regular expression can run for hours"),
        ("{a: 1, a: 2}", "the entry a stands twice"),
    ],
)
def test_what_can_never_work_is_refused_when_compiled(source: str, says: str) -> None:
    """A call that has no value whatever the data are."""
    with pytest.raises(ExpressionError, match=says):
        evaluate(source)


def test_a_function_does_not_leave_an_expression() -> None:
    """It is no JSON; the sentence says what to do."""
    with pytest.raises(EvaluationError, match="call it"):
        evaluate("function(a) a")


def test_a_context_in_the_router_has_no_functions() -> None:
    """Only FEEL has them as values."""
    with pytest.raises(ExpressionError, match="only sort"):
        compile_expression("{f: function(a) a}")
