"""The headers a subscription may add."""

import pytest

from bpm.events.headers import header_problems, redacted_headers, with_stored_values


def test_credentials_may_be_sent() -> None:
    """`Authorization` and headers of one's own are allowed."""
    assert list(header_problems({"Authorization": "Bearer x", "X-Api-Key": "k y", "traceparent": "00-1"})) == []


OWN = """Host content-length Content-Type Transfer-Encoding Connection Webhook-Id webhook-signature X-Webhook-Signature
ce-id Proxy-Authorization X-Forwarded-For Cookie Expect User-Agent"""


@pytest.mark.parametrize("name", OWN.split())
def test_headers_of_the_delivery_itself_are_refused(name: str) -> None:
    """What frames, signs or routes the request can't be chosen."""
    (problem,) = header_problems({name: "x"})
    assert problem == f"headers.{name}: is set by the delivery itself and can't be chosen"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a b", "x"),
        ("", "x"),
        ("a:", "x"),
        ("a\r\nHost", "x"),
        ("a", ""),
        ("a", "x\r\nHost: y"),
        ("a", "ü"),
        ("a", " x"),
    ],
)
def test_headers_that_would_break_the_request_are_refused(name: str, value: str) -> None:
    """Names are tokens and values visible characters."""
    assert len(list(header_problems({name: value}))) == 1


def test_too_many_headers_are_refused() -> None:
    """There is a limit, and a name counts once whatever its case."""
    assert any("at most 20" in problem for problem in header_problems({f"a{n}": "x" for n in range(21)}))
    assert any("twice" in problem for problem in header_problems({"a": "x", "A": "y"}))


def test_values_are_shown_as_stars_and_kept_by_them() -> None:
    """No value is shown; sending the stars back keeps what is stored."""
    stored = {"Authorization": "Bearer x", "X-A": "1"}
    assert redacted_headers(stored) == {"Authorization": "***", "X-A": "***"}
    assert with_stored_values({"authorization": "***", "X-B": "2"}, stored) == {"authorization": "Bearer x", "X-B": "2"}
