"""Numbers keep their digits on every path that JSON takes through the product."""

from decimal import Decimal
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic_core import to_json

from bpm.bpmn.state import ROOT, Instance
from bpm.bus import Command, Context, Registry, View, WireModel, handles
from bpm.canonical import canonical
from bpm.errors import Invalid
from bpm.exact_json import plain, read_json, write_as, write_json
from bpm.expressions import EvaluationError, compile_expression, compile_template
from bpm.metering import Meter
from bpm.number import CONTEXT, Number, NumberError, number_of
from bpm.schemas import problems
from bpm.store.rows import JsonColumn
from bpm.strict_json import StrictJsonError, parse_json
from scripts.shared.frames import HEADER, pack, unpack
from tests.numbers import PLAIN, WITH_EXPONENT


def document(number: str) -> bytes:
    """A body with a number in an object, in a list, and beside others."""
    return b'{"amount":%b,"list":[1,%b],"text":"%b"}' % ((number.encode(),) * 3)


class LineModel(WireModel):
    """A part of the message below."""

    price: Decimal


class ExactView(View):
    """What a handler was given, shown again."""

    price: Decimal
    data: dict[str, Any]


class ExactCommand(Command[ExactView]):
    """Fields of every kind that holds numbers."""

    permission: ClassVar[str | None] = None

    price: Decimal
    lines: list[LineModel]
    data: dict[str, Any]
    anything: Any = None
    rate: float = 0


@handles
def exact(command: ExactCommand, context: Context) -> ExactView:
    """Show."""
    return ExactView(price=command.price, data=command.data)


@pytest.fixture(scope="module")
def registry() -> Registry:
    """One message."""
    registry = Registry()
    registry.add(exact)
    return registry


@given(PLAIN)
def test_a_body_is_written_as_it_was_read(number: str) -> None:
    """A number with a point and no exponent goes out digit for digit."""
    assert write_json(parse_json(document(number))) == document(number)


@given(st.one_of(PLAIN, WITH_EXPONENT))
def test_every_number_stays_equal(number: str) -> None:
    """With an exponent it may be written otherwise, and is the same number of as many digits."""
    read = parse_json(document(number))["amount"]
    again = read_json(write_json(read))
    assert again == read == Decimal(number)


@given(PLAIN)
def test_numbers_are_kept_in_the_database_and_in_processes(number: str) -> None:
    """A JSON column and the state of an instance give them back."""
    value = parse_json(document(number))
    column = JsonColumn()
    text = column.process_bind_param(value, None)  # pyright: ignore[reportArgumentType]
    assert str(column.process_result_value(text, None)["amount"]) == str(value["amount"])  # pyright: ignore[reportArgumentType]
    began = Instance(variables={ROOT: value})
    assert str(Instance.from_json(began.to_json()).root_variables["amount"]) == str(value["amount"])


@given(PLAIN)
def test_expressions_pass_numbers_on(number: str) -> None:
    """A template gives the number itself, and its digits inside a text."""
    payload = parse_json(document(number))
    template = compile_template({"same": "{{payload.amount}}", "text": "NGN {{payload.amount}}"})
    rendered = template.render({"payload": payload})
    assert (str(rendered["same"]), rendered["text"]) == (number, f"NGN {number}")


@given(PLAIN, PLAIN, st.sampled_from("+-*"))
def test_arithmetic_is_that_of_decimals(left: str, right: str, symbol: str) -> None:
    """It rounds to 34 digits and nowhere else."""
    scope = {"payload": {"a": number_of(left), "b": number_of(right)}}
    calculate = {"+": CONTEXT.add, "-": CONTEXT.subtract, "*": CONTEXT.multiply}[symbol]
    result = compile_expression(f"payload.a {symbol} payload.b").evaluate(scope)
    assert result == calculate(Decimal(left), Decimal(right))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("19.99 * 100", "1999.00"),
        ("4.35 * 100", "435.00"),
        ("0.1 + 0.2", "0.3"),
        ("1 / 3", "0.3333333333333333333333333333333333"),
        ("100.00 / 4", "25.00"),
        ("12345678901234567.89 * 100", "1234567890123456789.00"),
        ("10 % 0.3", "0.1"),
        ("-7.5 % 2", "0.5"),
        ("round(19.999, 2)", "20.00"),
        ("round(5, 2)", "5"),
        ("4 ** 0.5", "2"),
        ("sum(0.1, 0.2, 0.3)", "0.6"),
        ("mean(1.10, 2.20)", "1.65"),
        ("median(1.5, 2.5)", "2.0"),
        ("-(1.50)", "-1.50"),
        ("1e-300 * 1e-300", "0"),
        ("0.0000001 + 0", "0.0000001"),
    ],
)
def test_results_are_what_an_accountant_expects(source: str, text: str) -> None:
    """The digits of results, their zeros included."""
    assert str(compile_expression(source).evaluate({})) == text


@pytest.mark.parametrize(
    "source", ["1e308 * 10", "1e200 ** 2", "exp(1000)", "10 ** 400", "1.1 ** 1e300", "1e300 * 1e300"]
)
def test_what_grows_too_large_is_refused(source: str) -> None:
    """A clear sentence instead of Infinity, and at once."""
    with pytest.raises(EvaluationError, match=r"grew beyond|too large"):
        compile_expression(source).evaluate({})


@pytest.mark.parametrize(
    "number",
    [
        "1e309",
        "-1e400",
        "1e999999999",
        "1e99999999999999999999",
        "1e-999999999",
        "0e999999999",
        "1." + "1" * 1001,
        "NaN",
        "Infinity",
    ],
)
def test_numbers_beyond_a_double_are_refused(number: str) -> None:
    """Nothing is calculated with an exponent that would take memory and time."""
    with pytest.raises(StrictJsonError, match=r"too large|too close|too long|not valid JSON"):
        parse_json(document(number).replace(b'"text"', b'"t"'))


@given(PLAIN)
def test_a_message_gets_the_digits(number: str) -> None:
    """Decimals where the type says so, numbers of JSON where any value may stand, floats where it says float."""
    registry = Registry()
    registry.add(exact)
    value = number_of(number)
    fields = {"price": value, "lines": [{"price": value}], "data": {"a": [value]}, "anything": value}
    message: Any = registry.decode("ExactCommand", {**fields, "rate": number_of("0.5")})
    given_back = [message.price, message.lines[0].price, message.data["a"][0], message.anything]
    assert [str(one) for one in given_back] == [str(Decimal(number))] * 2 + [str(value)] * 2
    assert type(message.rate) is float
    written = write_as(registry.find("ExactCommand").result, exact(message, None))  # pyright: ignore[reportArgumentType]
    assert written == b'{"price":"%b","data":{"a":[%b]}}' % (str(Decimal(number)).encode(), str(value).encode())
    assert plain(message)["data"] == {"a": [value]}


def test_a_number_is_no_text_and_a_text_no_number(registry: Registry) -> None:
    """Types are checked as before."""
    with pytest.raises(Invalid, match="rate: must be a number"):
        registry.decode("ExactCommand", {"price": number_of("1.5"), "lines": [], "data": {}, "rate": "1.5"})


def test_what_pydantic_writes_elsewhere_has_no_marks() -> None:
    """A model that is written by somebody else shows numbers as texts, as it does decimals."""

    class Model(BaseModel):
        data: Any

    number = number_of("19.90")
    assert to_json({"a": number}) == b'{"a":"19.90"}'
    assert Model(data=[number]).model_dump_json() == '{"data":["19.90"]}'
    assert write_json(Model(data=[number])) == b'{"data":[19.90]}'


@given(WITH_EXPONENT)
def test_numbers_travel_to_scripts_and_back(number: str) -> None:
    """As an extension of msgpack, with their digits."""
    value = number_of(number)
    message = unpack(pack({"t": "run", "value": [value]})[HEADER.size :])
    assert str(message["value"][0]) == str(value)


def test_a_number_for_a_script_is_bounded() -> None:
    """What comes out of a child is checked again."""
    with pytest.raises((ValueError, NumberError)):
        pack({"t": "result", "value": Number("1." + "1" * 2000)})


def test_schemas_see_exact_numbers() -> None:
    """Types, bounds, multiples and enumerations, in decimals."""
    schema = '{"type": "number", "multipleOf": 0.01, "maximum": 12345678901234567.89}'
    assert problems(schema, number_of("12345678901234567.89")) == []
    assert problems(schema, number_of("12345678901234567.90")) != []
    assert problems(schema, number_of("0.001")) != []
    assert problems('{"type": "integer"}', number_of("5.0")) == []
    assert problems('{"enum": [1.50]}', number_of("1.5")) == []


@given(PLAIN)
def test_equal_numbers_have_one_text(number: str) -> None:
    """Zeros at the end make no difference to what is equal."""
    text = canonical(number_of(number), Meter(100))
    assert text == canonical(number_of(number + "000"), Meter(100))
    if Decimal(number) == int(Decimal(number)):
        assert text == canonical(int(Decimal(number)), Meter(100))


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
def test_a_number_calculates_with_floats(other: float) -> None:
    """A float counts as the digits that Python shows of it."""
    number: Any = Number("19.99")
    assert number + other == other + number == CONTEXT.add(number, Decimal(repr(other)))
    assert Number(repr(other)) == other
    assert not Number(repr(other)) < other
