"""The router's dialect: paths, operators, types, and what errors say."""

from typing import Any

import pytest

from bpm.expressions import EvaluationError, ExpressionError, compile_expression
from bpm.number import Number

SCOPE = {
    "payload": {
        "customer": {"email": "ann@example.org", "name": None},
        "items": [{"sku": "x", "price": 5}, {"sku": "y", "price": 15}],
        "weird-key": 1,
        "amount": 150,
        "currency": "NGN",
        "tags": ["new", "vip"],
        "paid": True,
        "if": "reserved words are fine as members",
    },
    "headers": {"x-id": "7", "x-github-event": "push"},
    "a": 9,
    "b": 4,
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("payload.customer.email", "ann@example.org"),
        ("payload.items[0].sku", "x"),
        ("payload.items[-1].sku", "y"),
        ("payload.items[1 - 1].sku", "x"),
        ('payload["weird-key"]', 1),
        ('payload["customer"]["email"]', "ann@example.org"),
        ("payload.`weird-key`", 1),
        ("payload.if", "reserved words are fine as members"),
        ('headers["x-id"]', "7"),
        ("headers.x-github-event", "push"),
        ("headers.x-github-event == 'push'", True),
        ("a-b", 5),
        ("payload.items[price > 10]", [{"sku": "y", "price": 15}]),
        ("payload.items[item.price < payload.amount and sku == 'x'][0].price", 5),
    ],
)
def test_path_finds_its_value(source: str, value: Any) -> None:
    """A path finds the value it names, however its keys are written."""
    assert compile_expression(source).evaluate(SCOPE) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("payload.amount > 100 and payload.currency == 'NGN'", True),
        ("payload.amount <= 100 or not payload.paid", False),
        ("not payload.amount > 100", False),
        ("payload.tags contains 'vip'", True),
        ("payload.tags not contains 'vip'", False),
        ("payload.customer.email contains '@example'", True),
        ("payload contains 'amount'", True),
        ("payload.currency in ['NGN', 'GHS']", True),
        ("payload.currency not in ['NGN', 'GHS']", False),
        ("payload.currency starts with 'N'", True),
        ("payload.currency ends with 'G'", False),
        ("payload.amount between 100 and 200 and payload.paid", True),
        ("payload.amount in [150..200)", True),
        ("payload.amount in (150..200]", False),
        ("payload.amount in ]150..200[", False),
        ("payload.amount in [1, [100..200]]", True),
        ("1 + 2 * 3 ** 2", 19),
        ("2 ** 3 ** 2", 512),
        ("-2 + 5", 3),
        ("(1 + 2) * 3", 9),
        ("8 / 2", 4),
        ("7 / 2", Number("3.5")),
        ("-7 % 3", 2),
        ("'a' + 'b'", "ab"),
        ("payload.amount ?? 0 > 100", True),
        ("payload.none ?? payload.zero ?? 'last'", "last"),
        ("[1, 'two', null, {three: 3, 'f-our': 4}]", [1, "two", None, {"three": 3, "f-our": 4}]),
        (r"'it\'s \u0041\n'", "it's A\n"),
    ],
)
def test_operators(source: str, value: Any) -> None:
    """Operators bind and mean what their readers expect."""
    result = compile_expression(source).evaluate(SCOPE)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 == '1'", False),
        ("1 == 1.0", True),
        ("true == 1", False),
        ("true != 1", True),
        ("0 == false", False),
        ("null == false", False),
        ("'' == null", False),
        ("[1] == [true]", False),
        ("[1, [2]] == [1.0, [2]]", True),
        ("{a: 1} == {a: 1.0}", True),
        ("{a: 1} == {a: '1'}", False),
        ("1 in [true, '1']", False),
        ("true in [1]", False),
    ],
)
def test_equality_never_mixes_types(source: str, value: bool) -> None:
    """Values of different types are never equal; whole and fractional numbers are one type."""
    assert compile_expression(source).evaluate({}) is value


@pytest.mark.parametrize(
    "source",
    [
        "'a' < 1", "null < 1", "true > false", "[1] < [2]", "'1' + 1", "1 + null", "true + 1", "'a' * 3",
        "1 / 0", "1 % 0", "not 1", "1 and true", "null or true", "if 1 then 2 else 3", "-'a'", "1 in 1",
        "1 contains 1", "date('2026-01-01') > '2025-01-01'", "[true].x", "'abc'[0]", "'abc'.x",
    ],
)  # fmt: skip
def test_wrong_types(source: str) -> None:
    """An operation on the wrong types is an error, and null where null is allowed."""
    with pytest.raises(EvaluationError):
        compile_expression(source).evaluate({})
    expected = True if source == "null or true" else 3 if source.startswith("if") else None
    assert compile_expression(source, missing="null").evaluate({}) is expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("payload.customer.emial", "payload.customer.emial is missing: payload.customer has email, …"),
        ("payload.items[5]", "payload.items[5] is missing: payload.items has 2 elements"),
        ("payload.items.sku", "payload.items.sku is missing: payload.items is a list"),
        ("payload.amount.value", "payload.amount.value is missing: payload.amount is a number"),
        ("payload.customer.name.first", "payload.customer.name.first is missing: payload.customer.name is null"),
        ('payload["weird key"]', 'payload["weird key"] is missing: payload has weird-key, …'),
        ("paylod.amount", "paylod is missing: the scope has payload, …"),
        ("payload[0]", "payload is an object: its keys are texts, not a number"),
    ],
)  # fmt: skip
def test_missing_path_says_what_is_there(source: str, message: str) -> None:
    """A missing path is an error that names the path and the nearest existing keys."""
    with pytest.raises(EvaluationError) as caught:
        compile_expression(source).evaluate(SCOPE)
    assert str(caught.value).startswith(message)


def test_errors_never_show_values() -> None:
    """An error message holds names and types, never a value from the scope."""
    scope = {"payload": {"secret": "canary-1234"}}
    for source in ("payload.secret.x", "payload.secret + 1", "payload.secret < 1", "number(payload.secret)"):
        with pytest.raises(EvaluationError) as caught:
            compile_expression(source).evaluate(scope)
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("payload.x == null", True),
        ("payload.x != null", False),
        ("payload.customer.name == null", True),
        ("null != payload.amount", True),
        ("empty payload.x", True),
        ("is defined(payload.x)", False),
        ("is defined(payload.amount)", True),
        ("payload.x is defined", False),
        ("payload.amount is defined and not(payload.x is defined)", True),
        ("payload.x ?? null is defined", False),
        ("count(payload.items[item.sku is defined])", 2),
        ("get or else(payload.x, 5)", 5),
        ("payload.x.y.z ?? 5", 5),
        ("(payload.x + 1) ?? 5", 5),
    ],
)
def test_presence_can_be_asked_for(source: str, value: bool | int) -> None:
    """Comparing with null, `??`, `empty` and `is defined` accept a missing path."""
    assert compile_expression(source).evaluate(SCOPE) == value


def test_condition_is_true_only_for_true() -> None:
    """A condition holds for true, not for null, and a condition that is not boolean is an error."""
    assert compile_expression("payload.amount > 100").holds(SCOPE) is True
    assert compile_expression("payload.x > 100", missing="null").holds(SCOPE) is False
    with pytest.raises(EvaluationError, match="must be true or false, not a number"):
        compile_expression("payload.amount").holds(SCOPE)


def test_names_are_the_top_level_ones() -> None:
    """The names of an expression are the top-level names it reads, without a loop's own."""
    expression = compile_expression("some x in payload.items satisfies x.price > limit and headers.x-id == '7'")
    assert expression.names == {"payload", "limit", "headers"}
    assert expression.source.startswith("some x")


@pytest.mark.parametrize(
    ("source", "column", "message"),
    [
        ("", 1, "the expression is empty"),
        ("  ", 1, "the expression is empty"),
        ("payload.", 9, "expected a name instead of the end"),
        ("a ==", 5, "expected a value instead of the end"),
        ("a b", 3, "'b' was not expected here"),
        ("a # b", 3, "'#' has no meaning here"),
        ("'abc", 1, "the text that starts with ' is not closed"),
        ("(a", 3, "expected ')' instead of the end"),
        ("[1, 2", 6, "expected ',' or ']' instead of the end"),
        ("1 < 2 < 3", 7, "comparisons do not chain: join them with 'and'"),
        ("uper(a)", 1, "there is no function uper(); did you mean upper()?"),
        ("upper(a, b)", 1, "upper() takes 1 arguments, not 2"),
        ("payload.f(1)", 10, "only the built-in functions can be called"),
        ("if a then b", 12, "expected 'else' instead of the end"),
        ("[1..5]", 1, "a range stands only after 'in'"),
        ("1e999", 1, "the number 1e999 is too large"),
        ("a and", 6, "expected a value instead of the end"),
        ("and", 1, "expected a value instead of 'and'"),
        ("a ? b", 6, "expected ':' instead of the end"),
        ("{1: 2}", 2, "expected a name instead of 1"),
    ],
)
def test_bad_source_names_its_column(source: str, column: int, message: str) -> None:
    """A source that cannot be compiled is refused with the column of what is wrong."""
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    assert (caught.value.message, caught.value.column) == (message, column)
