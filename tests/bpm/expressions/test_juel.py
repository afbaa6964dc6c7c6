"""JUEL as modellers write it for Camunda 7."""

from typing import Any

import pytest

from bpm.expressions import ExpressionError, compile_expression

SCOPE = {"amount": 150, "paid": False, "name": "Ann", "items": [{"sku": "x"}], "none": None, "empty": 1}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("${amount > 100}", True),
        ("${amount gt 100 && !paid}", True),
        ("#{amount le 100 || paid}", False),
        ("${name eq 'Ann' and amount ne 151}", True),
        ("${name == 'Ann' ? 'yes' : 'no'}", "yes"),
        ("${amount lt 1 ? 1 : amount ge 150 ? 2 : 3}", 2),
        ("${empty none}", True),
        ("${not empty items}", True),
        ("${!empty name}", True),
        ("${empty (unknown)}", True),
        ("${amount div 2 + amount mod 7}", 78),
        ("${items[0].sku}", "x"),
        ("${items[0]['sku']}", "x"),
        ("${!paid == true}", True),
        ("${empty + 1}", 2),
    ],
)
def test_expressions(source: str, value: Any) -> None:
    """Expressions written for Camunda 7 mean here what they mean there."""
    assert compile_expression(source).evaluate(SCOPE) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [("${!none}", True), ("${!unknown.deep}", True), ("${!(none && paid)}", True), ("${none || !paid}", True),
     ("${none > 5}", None), ("${none == null}", True)],
)  # fmt: skip
def test_null_counts_as_false(source: str, value: bool | None) -> None:
    """Where a process asks, and a variable is not there."""
    assert compile_expression(source, "null").evaluate(SCOPE) is value


TEXTS = {"n": 5, "t": "5", "word": "ab", "yes": True, "no": False, "said": "TRUE", "none": None}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("${n == t}", True),
        ("${t == 5.0}", True),
        ("${n != '5'}", False),
        ("${n == word}", False),
        ("${yes == 'true'}", True),
        ("${'false' eq no}", True),
        ("${yes == 'no'}", False),
        ("${n > '4'}", True),
        ("${'10' < t}", True),
        ("${'10' gt 9}", True),
        ("${t + 1}", 6),
        ("${t + t}", 10),
        ("${word + t}", "ab5"),
        ("${t * 2 - '1'}", 9),
        ("${-t}", -5),
        ("${said ? 1 : 2}", 1),
        ("${word ? 1 : 2}", 2),
        ("${said && yes}", True),
        ("${!said}", False),
        ("${word || yes}", True),
        ("${yes == 1}", False),
        ("${none == 0}", False),
    ],
)
def test_texts_are_converted_to_what_they_stand_beside(source: str, value: Any) -> None:
    """A number as text equals that number, and a truth value as text that truth value, as in Camunda 7."""
    assert compile_expression(source).evaluate(TEXTS) == value


@pytest.mark.parametrize("source", ["n == t", "yes == 'true'", "=n = t"])
def test_elsewhere_types_never_mix(source: str) -> None:
    """Neither the router's language nor FEEL converts."""
    assert not compile_expression(source).evaluate(TEXTS)


@pytest.mark.parametrize("source", ["${amount > 100", "${execution.getVariable('x')}", "${a} and ${b}"])
def test_what_is_not_an_expression_is_refused(source: str) -> None:
    """An unclosed expression, a method call, and two expressions in one are refused."""
    with pytest.raises(ExpressionError):
        compile_expression(source)
