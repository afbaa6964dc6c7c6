"""Functions for templates: JSON, base64, digests, formats and ids that every attempt makes alike."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bpm.expressions import CLOCK, SEED, EvaluationError, compile_expression, compile_template

SCOPE: dict[str, Any] = {
    "text": 'Ünï "q"',
    "object": {"b": [1, 19.5], "a": None},
    "empty": "",
    CLOCK: datetime(2026, 3, 1, 12, 30, 5, 7_000, UTC),
    SEED: "request-1",
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("to json(object)", '{"b":[1,19.5],"a":null}'),
        ("to json(text)", r'"Ünï \"q\""'),
        ("to json(null)", "null"),
        ("to json(true)", "true"),
        ("json(to json(object)).b[1]", 19.5),
        ("base64(text)", "w5xuw68gInEi"),
        ("base64 decode(base64(text)) = text", True),
        ('base64 decode("-_-_")', None),
        ('base64 decode("eyJhIjoxfQ")', '{"a":1}'),
        ('base64 decode("a b")', None),
        ('base64 decode("a")', None),
        ("hash(empty)", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ('hash("abc", "sha1")', "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ('string length(hash("abc", "sha512"))', 128),
        ('hash("abc", "shake_128")', None),
        ("hash(1)", None),
        ("format(1999.005, 2)", "1999.00"),
        ("format(1999.015, 2)", "1999.02"),
        ("format(7, 2)", "7.00"),
        ("format(-0.5, 0)", "0"),
        ("format(12345678901234567890.125, 2)", "12345678901234567890.12"),
        ("format(1, 31)", None),
        ("format(1, 0.5)", None),
        ('format("2026-03-01", "dd/MM/yyyy")', "01/03/2026"),
        ('format("2026-03-01T23:05:09.042Z", "yy-MM-dd\'T\'HH:mm:ss.SSS")', "26-03-01T23:05:09.042"),
        ('format(now(), "yyyyMMddHHmmss")', "20260301123005"),
        ('format(today(), "HH")', "00"),
        ('format("2026-03-01", "Q")', None),
        ('format("no date", "dd")', None),
        ('format(text, "dd")', None),
    ],
)
def test_what_a_function_gives(source: str, value: Any) -> None:
    """None stands for an error with a sentence, which is null where mistakes are."""
    if value is None:
        with pytest.raises(EvaluationError):
            compile_expression(source).evaluate(SCOPE)
    assert compile_expression(source, "null").evaluate(SCOPE) == value


def test_ids_are_those_of_the_request() -> None:
    """The same at every attempt, others for other names and other requests."""
    render = compile_template(["{{uuid()}}", '{{uuid("")}}', '{{uuid("b")}}']).render
    first, alike, other = render(SCOPE)
    assert render(SCOPE) == [first, alike, other]
    assert first == alike != other
    assert render({**SCOPE, SEED: "request-2"})[0] != first
    assert len(first) == 36
    with pytest.raises(EvaluationError, match="a uuid is made of a request"):
        render({})


@pytest.mark.parametrize(
    "source", ["payload[format(today(), 'yyyy') = '2026']", "payload[uuid() = outer]", "for x in payload return x"]
)
def test_a_payload_is_no_clock_and_no_seed(source: str) -> None:
    """A filter sees the names of its elements, and these two are none that a sender can set."""
    hostile = [{"now()": "x", "uuid()": "x"}]
    outer = compile_expression("uuid()").evaluate(SCOPE)
    assert compile_expression(source).evaluate({**SCOPE, "payload": hostile, "outer": outer}) == hostile
    assert compile_expression("today()").evaluate({"now()": "x"})
