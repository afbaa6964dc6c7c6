"""Bodies read by their Content-Type, and requests mapped to fields."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpm.expressions import EvaluationError, ExpressionError, compile_expression
from router.mapping import compile_mapping, decode_body, scope_of
from tests.effort import effort_below

NAMES = frozenset({"amount", "currency", "customerId"})


def scope(payload: Any):
    """The scope of a request with this payload."""
    headers = {"x-request-id": "7", "content-type": "application/json"}
    return scope_of(payload, headers, {"q": "1"}, {"orderId": "o-1"}, {"method": "POST"})


@pytest.mark.parametrize(
    ("content_type", "raw", "kind", "value"),
    [
        ("application/json", b'{"a":1}', "json", {"a": 1}),
        ("application/json; charset=utf-8", b"[1]", "json", [1]),
        ("Application/JSON ;charset=utf-8", b'"x"', "json", "x"),
        ("application/cloudevents+json", b"null", "json", None),
        ("application/json; charset=latin-1", b'"\xe9"', "json", "é"),
        ("application/json; charset=latin-1", '"é"'.encode(), "json", "é"),
        ("application/json; charset=latin-1", b'\xef\xbb\xbf"x"', "json", "x"),
        ("application/json; charset=utf-16", '"é"'.encode("utf-16"), "json", "é"),
        ("application/json; charset=utf-16le", '"x"'.encode("utf-16-le"), "json", "x"),
        ("application/json; charset=Shift_JIS", '"表示"'.encode("cp932"), "json", "表示"),
        ("application/json; charset=klingon", b'"x"', "json", "x"),
        ("text/plain", b"\xef\xbb\xbfx", "text", "x"),
        ("text/plain; charset=utf-16le", "\ufeffx".encode("utf-16-le"), "text", "x"),
        ("application/x-www-form-urlencoded", b"\xef\xbb\xbfa=1", "form", {"a": "1"}),
        ("text/json", b"1", "json", 1),
        (
            "application/x-www-form-urlencoded",
            b"a=1&b=x+y&c=%C3%A9&d=",
            "form",
            {"a": "1", "b": "x y", "c": "é", "d": ""},
        ),
        ("application/x-www-form-urlencoded", b"a=1&a=2&b=3", "form", {"a": ["1", "2"], "b": "3"}),
        ("application/xml", b"<a/>", "text", "<a/>"),
        ("text/plain", "é".encode(), "text", "é"),
        ("text/plain; charset=ISO-8859-1", b"\xe9", "text", "é"),
        ("text/plain; charset=koi8-r", b"\xc1", "text", "а"),  # noqa: RUF001 a Cyrillic letter
        ("text/plain;charset='Shift_JIS'", "日本".encode("cp932"), "text", "日本"),
        (
            "application/x-www-form-urlencoded; charset=windows-1252",
            b"a=Ren%E9&b=\x80",
            "form",
            {"a": "René", "b": "€"},
        ),
        ("application/x-www-form-urlencoded; charset=ISO-8859-1", b"a=Ren%E9", "form", {"a": "René"}),
        ("application/x-www-form-urlencoded; charset=utf-16", "a=é%C3%A9".encode("utf-16"), "form", {"a": "éé"}),
        ('text/xml; charset="utf-8"', "é".encode(), "text", "é"),
        ("application/octet-stream", b"\xff\x00", "text", "\ufffd\x00"),
        ("text/plain", b'{"a":1}', "text", '{"a":1}'),
        ("application/json, text/html", b'{"a":1}', "text", '{"a":1}'),
        ("jsonish", b"{}", "text", "{}"),
        (None, b'{"a":1}', "text", '{"a":1}'),
        ("", b"a=1", "text", "a=1"),
        ("application/json", b"", "empty", None),
        (None, b"", "empty", None),
    ],
)
def test_body_is_read_as_its_header_says(content_type: str | None, raw: bytes, kind: str, value: Any) -> None:
    """The type is decided from the header alone, and one type is never read as another."""
    assert decode_body(content_type, raw) == (kind, value)


@pytest.mark.parametrize(
    ("content_type", "raw", "sentence"),
    [
        ("application/json", b'{"a":1,"a":2}', 'the key "a" stands twice'),
        ("application/json", b"a=1", "not valid JSON"),
        ("application/vnd.api+json", b"1e999", "a number is too large"),
        ("application/json", b'"\xe9"', "not UTF-8"),
        ("application/json; charset=utf-8", b'"\xe9"', "not UTF-8"),
        ("application/json; charset=utf-16", b'"\xe9"', "not UTF-8"),
        ("application/json", '"x"'.encode("utf-16"), "not UTF-8"),
        ("application/x-www-form-urlencoded", b"a=%ff", "the form is not UTF-8"),
        ("application/x-www-form-urlencoded", b"\xff=1", "the form is not UTF-8"),
        ("application/x-www-form-urlencoded", b"a=1&" * 2000, "more than 1000 fields"),
        ("text/plain", b"\xff", "the body is not UTF-8: byte 1"),
        ("text/plain; charset=rot13", b"a", "the charset 'rot13' is not supported; send UTF-8"),
        ("application/x-www-form-urlencoded; charset=utf-7", b"a=1", "the charset 'utf-7' is not supported"),
        ("application/x-www-form-urlencoded; charset=us-ascii", b"a=%e9", "the form is not ASCII"),
        ("application/soap+xml; charset=us-ascii", b"\xe9", "the body is not ASCII"),
    ],
)
def test_body_that_is_something_else_is_refused(content_type: str | None, raw: bytes, sentence: str) -> None:
    """A body that is not what its header says is refused with a sentence."""
    with pytest.raises(ValueError, match=r"\w") as caught:
        decode_body(content_type, raw)
    assert sentence in str(caught.value)


def test_large_forms_cost_little() -> None:
    """A form of ten megabytes is read or refused with the work of milliseconds."""
    with effort_below(5):
        assert decode_body("application/x-www-form-urlencoded", b"a" * 10_000_000).value == {"a" * 10_000_000: ""}
        with pytest.raises(ValueError, match="more than 1000 fields"):
            decode_body("application/x-www-form-urlencoded", b"&" * 10_000_000)


@given(
    st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", ""]) | st.text(),
    st.binary(),
)
def test_any_body_is_survived(content_type: str | None, raw: bytes) -> None:
    """Whatever header and body say, the body is read or refused with a sentence."""
    try:
        found = decode_body(content_type, raw).kind
    except ValueError as error:
        found = str(error)
    assert found


def test_template_makes_the_fields() -> None:
    """With parameters the fields are the template's, with types kept."""
    template = {"amount": "{{payload.data.amount}}", "note": "{{headers.x-request-id}}/{{path.orderId}}/{{query.q}}"}
    fields = compile_mapping(template, NAMES).fields(scope({"data": {"amount": 5}}))
    assert fields == {"amount": 5, "note": "7/o-1/1"}
    assert compile_mapping({}, NAMES).fields(scope({"amount": 1})) == {}
    with pytest.raises(EvaluationError, match=r"amount: payload\.data is missing"):
        compile_mapping(template, NAMES).fields(scope({"amount": 5}))
    with pytest.raises(ExpressionError, match="amount: "):
        compile_mapping({"amount": "{{payload.}}"}, NAMES)


def test_without_template_names_decide() -> None:
    """Without parameters the payload's fields of the same name are taken, and only those."""
    mapping = compile_mapping(None, NAMES)
    assert mapping.fields(scope({"amount": 5, "customerId": None, "other": 1})) == {"amount": 5, "customerId": None}
    for payload in ([{"amount": 5}], "amount", None):
        assert mapping.fields(scope(payload)) == {}


def test_headers_are_found_in_any_case() -> None:
    """Expressions find a header however its name is written."""
    for path in ("headers.x-request-id", "headers.X-Request-Id", 'headers["X-REQUEST-ID"]'):
        assert compile_expression(path).evaluate(scope(None)) == "7"
    with pytest.raises(EvaluationError, match="headers has x-request-id"):
        compile_expression("headers.X-Request-Ids").evaluate(scope(None))
    assert compile_expression("headers").evaluate(scope(None)) == {
        "x-request-id": "7",
        "content-type": "application/json",
    }
