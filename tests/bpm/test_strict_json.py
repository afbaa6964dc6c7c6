"""Strict JSON: what is read exactly, and what is refused with a reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpm.strict_json import StrictJsonError, parse_json
from tests.effort import effort_below

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=30,
)


@given(VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_every_json_value_is_read(value: Any, ascii_only: bool, indent: int | None) -> None:
    """Whatever a JSON writer writes is read back as it was, compact or indented, escaped or not."""
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()) == value


def nested(depth: int) -> list[Any]:
    """So many lists, each the only item of the one around it."""
    return [nested(depth - 1)] if depth > 1 else []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12345678901234567890123", 12345678901234567890123),
        ("-0", 0),
        ("1E5", 1e5),
        ('{"a":":","b":"\\":","c":"{\\"a\\":1,\\"a\\":2}"}', {"a": ":", "b": '":', "c": '{"a":1,"a":2}'}),
        ('[{"a":1},{"a":1}]', [{"a": 1}, {"a": 1}]),
        ('{"a":{"a":{"a":1}}}', {"a": {"a": {"a": 1}}}),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        (' {"t" : "2026-01-01T00:00:00Z"} ', {"t": "2026-01-01T00:00:00Z"}),
        ("[" * 64 + "]" * 64, nested(64)),
    ],
)
def test_valid_json(text: str, value: Any) -> None:
    """Exact integers, repeated keys in different objects and colons in texts are fine."""
    assert parse_json(text.encode()) == value


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"a":1,"a":1}', 'the key "a" stands twice'),
        (b'{"a" :1,"a":2}', 'the key "a" stands twice'),
        (b'[{"x":{"a":1,"b":2,"a":3}}]', 'the key "a" stands twice'),
        (b'{"a":1,"\\u0061":2}', 'the key "a" stands twice'),
        (b'{"a":":","a":":"}', 'the key "a" stands twice'),
        (b'{"":1,"":2}', 'the key "" stands twice'),
        (b"NaN", "not valid JSON"),
        (b"[-Infinity]", "not valid JSON"),
        (b"1e999", "a number is too large"),
        (b'{"a":[-1e999]}', "a number is too large"),
        (b"1" * 5000, "number out of range"),
        (b'"\\ud800"', "not valid JSON"),
        (b'"\\udc00\\ud800"', "not valid JSON"),
        (b'"\xed\xa0\x80"', "not UTF-8: byte 2"),
        (b'{"a":"\xff"}', "not UTF-8: byte 7"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8: byte 1"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"", "the body is empty"),
        (b" \n", "the body is empty"),
        (b'{"a":1}{', "not valid JSON"),
        (b"{'a':1}", "not valid JSON"),
        (b"[1,]", "not valid JSON"),
        (b'{"a":01}', "not valid JSON"),
        (b'"\x01"', "not valid JSON"),
        (b"[" * 65 + b"]" * 65, "nested deeper than 64"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "nested deeper than 64"),
        (b"[" * 100_000, "nested deeper than 64"),
        (b"<xml/>", "not valid JSON"),
    ],
)
def test_refusals(raw: bytes, message: str) -> None:
    """What is not strict JSON is refused with a sentence that says why."""
    with pytest.raises(StrictJsonError) as caught:
        parse_json(raw)
    assert message in str(caught.value)


def test_depth_is_the_callers() -> None:
    """A caller may allow less depth."""
    assert parse_json(b'{"a":[1]}', max_depth=2) == {"a": [1]}
    with pytest.raises(StrictJsonError, match="deeper than 1 levels"):
        parse_json(b'{"a":[1]}', max_depth=1)


@pytest.mark.parametrize(
    "raw",
    [
        b"1" * 10_000_000,
        b"{" + b",".join(b'"k%d":1' % number for number in range(200_000)) + b"}",
        b"{" + b",".join(b'"k%d":":"' % number for number in range(200_000)) + b',"k0":1}',
        b'"' + b'\\":' * 1_000_000 + b'"',
        b"[" + b"[]," * 1_000_000 + b"[]]",
        b'"' + b" " * 5_000_000 + b"'",
    ],
    ids=["digits", "keys", "late duplicate", "colons", "lists", "blanks"],
)
def test_large_input_ends_soon(raw: bytes) -> None:
    """Large or hostile input is read or refused within seconds of work."""
    with effort_below(20):
        try:
            parse_json(raw)
        except StrictJsonError as error:
            message = str(error)
        else:
            message = "read"
    assert message


@given(st.binary(max_size=60))
def test_any_bytes_are_survived(raw: bytes) -> None:
    """Any bytes are read or refused, and what is read can be written again."""
    try:
        value = parse_json(raw)
    except StrictJsonError:
        return
    assert parse_json(json.dumps(value).encode()) == value
