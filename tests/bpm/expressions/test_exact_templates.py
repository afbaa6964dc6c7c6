"""Numbers go through templates and conditions digit for digit."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpm.exact_json import write_json
from bpm.expressions import compile_expression, compile_template
from bpm.strict_json import parse_json
from tests.numbers import ANY, PLAIN, WHOLE, is_kept

bounded = settings(max_examples=100)

VALUES = compile_template(
    {
        "alone": "{{payload.amount}}",
        "inside": "{{ payload.list[1] }}",
        "made": "{{ {a: [payload.amount]}.a[0] }}",
        "read": "{{json(payload.text).amount}}",
        "written and read": "{{json(string({a: payload.amount})).a}}",
        "as JSON": "{{json(to json(payload.amount))}}",
        "number": "{{number(string(payload.amount))}}",
        "chosen": "{{payload.amount ?? 1}}",
        "found": "{{payload.list[item == payload.amount][-1]}}",
        "largest": "{{max(payload.amount, payload.amount)}}",
    }
)
TEXTS = compile_template(
    [
        "{{payload.amount}}.",
        "NGN {{payload.amount}}.",
        "{{payload.list}}!",
        "{{string(payload.list)}} {{payload.amount}}",
        "{{ {a: payload.amount} }} ",
    ]
)


def payload(number: str) -> Any:
    """A body with a number in an object, in a list, and in JSON inside of a text."""
    body = '{"amount":%s,"list":["1",%s],"text":"{\\"amount\\":%s}"}' % ((number,) * 3)
    return parse_json(body.encode())


@bounded
@given(ANY)
def test_templates_give_the_number_itself(number: str) -> None:
    """Alone, out of a list or an object, out of JSON in a text, and through what only looks at it."""
    rendered = VALUES.render({"payload": payload(number)})
    written = {name: write_json(value).decode() for name, value in rendered.items()}
    assert {name: text for name, text in written.items() if not is_kept(number, text)} == {}


@bounded
@given(ANY)
def test_templates_write_the_digits_into_texts(number: str) -> None:
    """Beside other words, in a list and in an object that a text shows."""
    given = payload(number)
    shown = write_json(given["amount"]).decode()
    assert is_kept(number, shown)
    assert TEXTS.render({"payload": given}) == [
        f"{shown}.",
        f"NGN {shown}.",
        f'["1",{shown}]!',
        f'["1",{shown}] {shown}',
        f'{{"a":{shown}}} ',
    ]


@bounded
@given(st.one_of(PLAIN, WHOLE), st.integers(0, 25))
def test_conditions_tell_numbers_apart_by_their_last_digit(number: str, digits: int) -> None:
    """A literal of an expression is as exact as a number of a body, whichever sign it has."""
    beside = f"{number}{'' if '.' in number else '.'}{'0' * digits}1"
    scope = {"payload": payload(number), "other": payload(beside)}
    first, second = (number, beside) if Decimal(number) < Decimal(beside) else (beside, number)
    for source in (
        f"payload.amount == {number}",
        f"payload.amount != {beside}",
        f"not(payload.amount == {beside})",
        f"{first} < {second}",
        f"list contains([{beside}, {number}], payload.amount)",
        "payload.amount != other.amount",
        f"min({second}, {first}) == {first}",
    ):
        assert compile_expression(source).holds(scope), source
    for source in (f"={{a: payload.amount}}.a = {number}", f"=payload.amount in [{first}..{number}]"):
        assert compile_expression(source).holds(scope), source


@bounded
@given(ANY)
def test_a_sign_turned_keeps_every_digit(number: str) -> None:
    """Nothing is rounded, however long the number is."""
    turned = compile_expression("-payload.amount").evaluate({"payload": payload(number)})
    assert turned == Decimal(number).copy_negate()


@bounded
@given(st.one_of(PLAIN, WHOLE), st.integers(0, 30))
def test_format_rounds_decimals_alone(number: str, places: int) -> None:
    """The digits before the point stay, of integers too."""
    text = compile_expression("format(payload.amount, places)").evaluate({"payload": payload(number), "places": places})
    assert abs(Decimal(text) - Decimal(number)) * 2 <= Decimal(1).scaleb(-places)
    assert len(text.partition(".")[2]) == places


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("format(9007199254740993, 2)", "9007199254740993.00"),
        ("format(-12345678901234567890123, 0)", "-12345678901234567890123"),
        ("string(-1234567890123456789012345678901234567.50)", "-1234567890123456789012345678901234567.50"),
        ("string(0.000000000000000000001)", "0.000000000000000000001"),
    ],
)
def test_amounts_beyond_a_double_and_beyond_34_digits(source: str, text: str) -> None:
    """Each was rounded or written otherwise once."""
    assert compile_expression(source).evaluate({}) == text
