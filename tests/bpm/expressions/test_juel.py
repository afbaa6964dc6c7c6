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


@pytest.mark.parametrize("source", ["${amount > 100", "${execution.getVariable('x')}", "${a} and ${b}"])
def test_what_is_not_an_expression_is_refused(source: str) -> None:
    """An unclosed expression, a method call, and two expressions in one are refused."""
    with pytest.raises(ExpressionError):
        compile_expression(source)
