"""Expressions, templates and decisions made to take for ever: refused by their steps, or done within a few."""

import contextlib
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic_core import to_json

from bpm.errors import BpmError
from bpm.expressions import EvaluationError, Expression, TooManySteps, compile_expression, compile_template
from bpm.expressions.functions import FUNCTIONS
from bpm.metering import MAX_MESSAGE_STEPS, MAX_REQUEST_STEPS, MAX_STEPS, Meter, budget

MANY = 140_000
VALUES: Mapping[str, Any] = {
    "payload": list(range(MANY)),
    "numbers": list(range(9_999)),
    "colliding": [number * (2**61 - 1) for number in range(20_000)],
    "objects": [{"a": number, "b": {"c": [number]}} for number in range(9_000)],
    "text": "x" * 1_000_000,
    "letters": "éß" * 500_000,
    "blanks": " " * 1_000_000,
    "commas": "," * 1_000_000,
    "nearly": "b" * 30_000,
    "part": "b" * 99 + "a",
    "record": {f"k{number}": number for number in range(9_000)},
    "digits": 10**4_000,
    "list": [["x"] * 20] * 20,
}


def _steps(source: str, values: Mapping[str, Any] = VALUES) -> int:
    """How many steps an expression takes, without a limit."""
    meter = Meter(10**9)
    with contextlib.suppress(EvaluationError):
        compile_expression(source).run(values, meter)
    return 10**9 - meter.left


@pytest.mark.parametrize(
    "source",
    [
        "mode(payload)",
        "median(payload)",
        "stddev(payload)",
        "sum(payload)",
        "product(payload)",
        "min(payload)",
        "mean(payload)",
        "distinct values(payload)",
        "duplicate values(payload)",
        "index of(payload, -1)",
        "list contains(payload, -1)",
        "payload contains -1",
        "reverse(payload)",
        "payload = payload",
        "payload[item > 5]",
        "for x in payload return x",
        "some x in payload satisfies x < 0",
        "for x in 1..9999 return objects contains {a: -1}",
        "for x in 1..9999 return objects = objects",
        "[objects, objects] = [objects, objects]",
        "union(objects, objects)",
        "sort(numbers, function(a, b) a < b)",
        "for x in numbers return list",
        "for x in numbers return text",
        "for x in 1..9999 return lower(letters)",
        "for x in 1..9999 return contains(nearly, part)",
        "for x in 1..9999 return substring before(nearly, part)",
        "for x in 1..9999 return text = text",
        "for x in 1..9999 return text < text",
        "for x in 1..9999 return starts with(text, text)",
        "for x in 1..9999 return count([text + 'x'])",
        "for x in 1..9999 return length(string(objects))",
        "for x in 1..9999 return length(string(digits))",
        "for x in 1..9999 return count(get entries(record))",
        "for x in 1..9999 return context merge(record, record) = null",
        "for x in 1..9999 return put(record, 'a', 1) = null",
        "for x in 1..9999 return count(concatenate(numbers, []))",
        "for x in 1..9999 return count(for each in objects return each.b)",
        "for x in 1..9999 return for y in 1..9999 return 1",
        "for x in 1..9999 return count([objects])",
        "for x in 1..9999 return count({a: objects})",
        "for x in 1..9999 return date('2026-01-01') < today()",
    ],
)
@pytest.mark.parametrize("dialect", ["", "="])
def test_an_expression_that_takes_too_many_steps_is_refused(source: str, dialect: str) -> None:
    """The sentence names the limit; the error is final, so that nobody tries the same again."""
    with pytest.raises(TooManySteps, match=f"take more than {MAX_STEPS} steps") as refusal:
        compile_expression(dialect + source, "null").evaluate(VALUES)
    assert isinstance(refusal.value, BpmError)
    assert refusal.value.is_final


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_no_function_is_free(name: str) -> None:
    """Every function is charged for a call, and unless it says why not for the size of a long list."""
    function = FUNCTIONS[name]
    assert function.steps > 0
    if function.is_cheap or function.reads_scope or function.takes_function:
        return
    meter = Meter(10**9)
    for values in ([0.5] * 1_000, "x" * 64_000):
        before = meter.left
        with contextlib.suppress(EvaluationError, KeyError, TypeError, ValueError):
            function.invoke(meter, values, *["x"] * (function.least - 1))
        assert before - meter.left >= 1_000, name


@pytest.mark.parametrize(
    "source", ["mode(values)", "distinct values(values)", "duplicate values(values)", "median(values)", "sum(values)"]
)
def test_twice_as_much_data_takes_about_twice_the_steps(source: str) -> None:
    """Nothing on lists is quadratic, also when the hashes of all numbers are the same."""
    nothing: list[Any] = []
    for values in (VALUES["payload"], VALUES["colliding"], VALUES["objects"] if "val" in source else nothing):
        few, many = (_steps(source, {"values": values[:length]}) for length in (4_000, 8_000))
        assert many < 2.5 * few < 500_000


def test_numbers_with_the_same_hash_are_told_apart_quickly() -> None:
    """Nine thousand numbers whose hashes are all zero: found distinct by their texts, whose hashes are secret."""
    colliding = VALUES["colliding"][:9_000]
    assert {hash(number) for number in colliding} == {0}
    assert compile_expression("count(distinct values(values))").evaluate({"values": colliding}) == len(colliding)


def test_split_is_refused_before_it_makes_the_list() -> None:
    """A text of nothing but separators ends in the limit of lists."""
    with pytest.raises(EvaluationError, match="a list grew beyond"):
        compile_expression("split(text, ',')").evaluate({"text": VALUES["commas"]})


def test_a_template_has_one_meter_for_all_its_expressions() -> None:
    """A thousand fields, each within the limit, are refused together; the sentence names the field."""
    template = compile_template({f"field{number}": "{{count(numbers[item > 5])}}" for number in range(1_000)})
    with pytest.raises(TooManySteps, match=r"field1: the expressions take more than"):
        template.render(VALUES)


def test_all_expressions_of_one_request_share_a_budget() -> None:
    """Several templates, each within its own limit, are bounded together."""
    expression = compile_expression("count(numbers[item > 5])")
    alone = _steps("count(numbers[item > 5])")
    with budget(MAX_REQUEST_STEPS) as total:
        for _ in range(MAX_REQUEST_STEPS // (alone + 10)):
            expression.evaluate(VALUES)
        with pytest.raises(TooManySteps, match="of one request or message"):
            expression.evaluate(VALUES)
        assert total.left >= 0


def test_a_failed_evaluation_counts_as_well() -> None:
    """What was swallowed as null elsewhere has been paid for."""
    with budget(MAX_MESSAGE_STEPS) as total:
        with pytest.raises(TooManySteps):
            compile_expression("mode(payload)").evaluate(VALUES)
        assert total.left < MAX_MESSAGE_STEPS


def test_honest_work_stays_far_below_the_limit() -> None:
    """A mapping of a hundred lines, a filter, a sum: thousands of steps at most."""
    order = {"lines": [{"sku": f"s{n}", "price": n * 1.5, "count": n % 7} for n in range(100)], "at": "2026-01-01"}
    values = {"payload": order, "now()": datetime(2026, 1, 1, tzinfo=UTC)}
    for source in (
        "=for line in payload.lines return {sku: upper case(line.sku), total: line.price * line.count}",
        "=sum(payload.lines[count > 3].price)",
        "=if date(payload.at) < today() then 'old' else 'new'",
        "=sort(payload.lines, function(a, b) a.price > b.price)[1].sku",
    ):
        assert _steps(source, values) < MAX_STEPS // 5


HUGE = 2**1_000


@pytest.mark.parametrize(
    "source",
    [
        'product(concatenate([2, duration("P1M")], numbers))',
        'duration("P1M")' + " * number" * 16,
        'string(duration("P1M")' + " * number" * 16 + ")",
        '-duration("P999999999999DT23H")',
        'duration("P99999999999999Y")',
    ],
)
def test_durations_are_bounded(source: str) -> None:
    """One that grows beyond what can be written is refused at once, whichever operator makes it."""
    values = {"number": HUGE, "numbers": [HUGE] * 3_000}
    with pytest.raises(EvaluationError, match=r"grew beyond the representable"):
        compile_expression(source).evaluate(values)


def test_the_longest_durations_are_as_they_were() -> None:
    """The bound is as far away as that of days."""
    assert compile_expression('-duration("P1000000Y") * 2').evaluate({}) == "-P2000000Y"
    assert compile_expression("-x").evaluate({"x": 2**1023}) == -(2**1023)


def _calls(expression: Expression, values: Mapping[str, Any]) -> int:
    """How many functions Python calls to evaluate an expression."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        expression.evaluate(values)
    finally:
        sys.setprofile(before)
    return calls


def test_made_up_zones_are_not_looked_for_on_the_disk() -> None:
    """A time zone that does not exist costs about as much as any other wrong text."""
    expression = compile_expression('for text in texts return time("08:00:00" + text)', "null")
    expression.evaluate({"texts": ["@Europe/Berlin"]})
    wrong = _calls(expression, {"texts": [f":Europe/Made_up_{number}" for number in range(100)]})
    assert _calls(expression, {"texts": [f"@Europe/Made_up_{number}" for number in range(100)]}) < 1.5 * wrong


def test_keys_make_no_deeper_object_than_can_be_written() -> None:
    """A list of keys from outside makes a value of so many levels and no more."""
    expression = compile_expression("context put({}, keys, 1)")
    assert to_json(expression.evaluate({"keys": ["a"] * 64})).startswith(b'{"a":{"a":')
    with pytest.raises(EvaluationError, match="more than 64 levels"):
        expression.evaluate({"keys": ["a"] * 380})
