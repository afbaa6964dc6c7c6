"""Numbers go from a request's body through a rule into a command digit for digit."""

from decimal import Decimal
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings

from bpm.bus import Command, Context, Registry, View, handles
from bpm.exact_json import write_json
from bpm.testing import RunningApp
from router.mapping import FieldMapping, compile_mapping, decode_body, scope_of
from tests.numbers import ANY, PLAIN, is_kept
from tests.router.conftest import noting, rows

bounded = settings(max_examples=100)
JSON = "application/json"


class PaidView(View):
    """What the command was given."""

    price: Decimal
    data: Any


class PaidCommand(Command[PaidView]):
    """A message with an amount of its own, and with data of any kind."""

    permission: ClassVar[str | None] = None

    price: Decimal
    data: dict[str, Any]


@handles
def pay(command: PaidCommand, context: Context) -> PaidView:
    """Show what was given."""
    return PaidView(price=command.price, data=command.data)


REGISTRY = Registry()
REGISTRY.add(pay)
MAPPINGS = (
    compile_mapping(None, frozenset({"price", "data"})),
    compile_mapping({"price": "{{payload.price}}", "data": "{{payload.data}}"}, frozenset()),
    compile_mapping({"price": "{{string(payload.price)}}", "data": {"in": ["{{payload.data.in[0]}}"]}}, frozenset()),
)


def command_of(mapping: FieldMapping, content_type: str, body: bytes) -> Any:
    """The command that a rule with this mapping makes of a request."""
    payload = decode_body(content_type, body).value
    return REGISTRY.decode("PaidCommand", mapping.fields(scope_of(payload, {}, {}, {}, {})))


@bounded
@given(ANY)
def test_a_command_is_given_the_digits(number: str) -> None:
    """By equal names and by templates, in a field of decimals and deep in one of any kind."""
    for mapping in MAPPINGS:
        command = command_of(mapping, JSON, b'{"price":%b,"data":{"in":[%b]}}' % ((number.encode(),) * 2))
        assert command.price == Decimal(number)
        assert "e" in number.lower() or format(command.price, "f") == number
        assert is_kept(number, write_json(command.data["in"][0]).decode())
        shown = write_json(pay(command, None).data).decode()  # pyright: ignore[reportArgumentType]
        assert is_kept(number, shown.removeprefix('{"in":[').removesuffix("]}"))


@bounded
@given(PLAIN)
def test_json_in_a_form_has_the_digits_and_text_stays_text(number: str) -> None:
    """A field of a form is text as it came; `json()` reads a number out of it, a decimal field takes the text."""
    template = {"price": "{{payload.price}}", "data": {"in": "{{json(payload.data).in}}"}}
    body = f'price={number}&data={{"in":{number}}}'.encode()
    command = command_of(compile_mapping(template, frozenset()), "application/x-www-form-urlencoded", body)
    assert format(command.price, "f") == number
    assert write_json(command.data["in"]).decode() == number


@pytest.mark.anyio
async def test_conditions_choose_rules_by_the_last_digit(app: RunningApp) -> None:
    """Amounts that are one double, with signs and of many digits, come to different rules."""
    amounts = ["-12345678901234567890123456789012345678.01", "9007199254740993", "0.10000000000000000001"]
    for order, amount in enumerate(amounts):
        when, template = f"payload.amount == {amount}", {"event": "e", "text": "{{payload.amount}}"}
        await noting(app, f"digit{order}", path="digit", when=when, order=order + 1, parameters=template)
    await noting(app, "digit-rest", path="digit")
    others = ["-12345678901234567890123456789012345678.02", "9007199254740992", "0.1"]
    for amount in [*amounts, *others]:
        assert (await app.hook("digit", b'{"amount":%b}' % amount.encode(), {"content-type": JSON})).ok
    taken = [row.config_key for row in await rows(app, path="digit")]
    assert taken == ["digit0", "digit1", "digit2", *["digit-rest"] * 3]
