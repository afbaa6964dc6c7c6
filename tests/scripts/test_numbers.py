"""Numbers of JSON inside of scripts: exact, and as easy to calculate with as Python's own."""

import pytest

from bpm.exact_json import write_json
from bpm.number import Number
from scripts import Sandbox

pytestmark = pytest.mark.anyio

AMOUNT = "12345678901234567.89"

RESULTS = {
    "as it came": ("return payload['amount']", AMOUNT),
    "in a list": ("return [payload['amount'], 1, 0.5]", f"[{AMOUNT},1,0.5]"),
    "times a hundred": ("return payload['amount'] * 100", "1234567890123456789.00"),
    "with a float": ("return payload['price'] * 1.5 + 0.005", "29.990"),
    "a sum": ("return sum([payload['price'], payload['price']])", "39.98"),
    "rounded": ("return [round(payload['price'], 1), round(payload['price']), int(payload['price'])]", "[20.0,20,19]"),
    "quantized": ("return payload['price'].quantize(decimal.Decimal('0.1'))", "20.0"),
    "as text": (
        "return f\"{payload['amount']} {payload['price']:.1f} \" + str(payload['price'])",
        f'"{AMOUNT} 20.0 19.99"',
    ),
    "compared": (
        "return [payload['price'] == 19.99, payload['price'] > 19.99, payload['price'] <= 20]",
        "[true,false,true]",
    ),
    "its kind": (
        "return [isinstance(payload['price'], decimal.Decimal), type(payload['price']).__name__]",
        '[true,"Number"]',
    ),
    "JSON": ("return json.dumps(payload)", f'"{{\\"amount\\": {AMOUNT}, \\"price\\": 19.99}}"'),
    "JSON read": ("return json.loads('[1.50, 2]')", "[1.50,2]"),
    "JSON of doubles": ("return json.loads('[1.50]', parse_float=float)", "[1.5]"),
    "a Decimal of the script's own": ("return decimal.Decimal('1.50')", '"1.50"'),
    "the floor": ("return [payload['price'] // 1, payload['price'] % 1, math.floor(payload['price'])]", "[19,0.99,19]"),
    "a key": ("return {payload['price']: 1}", '{"19.99":1}'),
    "statistics": ("return statistics.mean([payload['price'], payload['price']]) == payload['price']", "true"),
}


@pytest.mark.parametrize(("code", "written"), RESULTS.values(), ids=list(RESULTS))
async def test_scripts_see_and_return_exact_numbers(sandbox: Sandbox, code: str, written: str) -> None:
    """Every digit of a number arrives, and leaves again."""
    run = await sandbox.run(code, {"payload": {"amount": Number(AMOUNT), "price": Number("19.99")}})
    assert run.failure is None, run.failure
    assert write_json(run.result).decode() == written


@pytest.mark.parametrize(
    "code",
    [
        "return payload['price'] * 10 ** 400",
        "return payload['price'] ** 1000000000",
        "return json.loads('1e999999999')",
        "return payload['price'].scaleb(100000)",
        "return payload['price'] / 0",
    ],
)
async def test_what_is_beyond_json_fails(sandbox: Sandbox, code: str) -> None:
    """An error inside of the script, or a text; the server never sees such a number."""
    run = await sandbox.run(code, {"payload": {"price": Number("19.99")}})
    assert run.failure is not None or isinstance(run.result, str)


@pytest.mark.parametrize(
    "code",
    [
        "return payload['price'].quantize.__globals__",
        "return payload['price'].__reduce__",
        "return payload['price'].__class__",
        "return type(payload['price']).quantize",
        "payload['price'].extra = 1",
        "class A(type(payload['price'])):\n    pass",
    ],
)
async def test_a_number_opens_nothing(sandbox: Sandbox, code: str) -> None:
    """Its methods are the sandbox's own code, and as closed as any."""
    run = await sandbox.run(code, {"payload": {"price": Number("19.99")}})
    assert run.failure is not None
