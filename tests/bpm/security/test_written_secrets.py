"""What JSON is asked for secrets as text finds every one that looking at its values finds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpm.exact_json import write_json, write_plain
from bpm.number import Number
from bpm.security.redaction import holds_secret, redacted
from bpm.security.written_secrets import may_be_redacted, may_hold_secret

KEY = "bpm_abcd_0123456789abcdef"
TOKEN = "eyJhbGciOiJub25l.eyJzdWIiOiJ4eHh4.abcdefgh12"
TEXTS = st.sampled_from(
    [
        "", "a", ":", '"', "\\", "\n", "\x1f", "é", ",", "{", "}", " ", "password", "token", "pass\nword", "amount",
        '","', '":', KEY, f"\n{KEY}", f'"{KEY}', TOKEN, f"x {TOKEN}", "-----BEGIN PRIVATE KEY-----\nx",
        "whsec_abcdefgh", "https://a:b@host/?token=1", "what?",
    ]
)  # fmt: skip
JOINED = st.lists(TEXTS, max_size=3).map("".join)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(Number("1.50")) | JOINED,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(JOINED, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_no_secret_is_missed(value: Any) -> None:
    """Whatever stands around it, and however its name is spelt."""
    for written in write_plain(value).decode(), write_json(value).decode():
        assert may_hold_secret(written) or not holds_secret(value)
        assert may_hold_secret(written, {"amount"}) or not holds_secret(value, {"amount"})
        assert may_be_redacted(written) or redacted(value) == value


@pytest.mark.parametrize("value", [{"n": 1, "name": "item 5", "price": Number("1.50")}, ["a:b", "x_y", "é\n"], {}])
def test_ordinary_values_are_not_suspected(value: Any) -> None:
    """So that nobody looks at each of them."""
    assert not may_hold_secret(write_plain(value).decode())
    assert not may_be_redacted(write_plain(value).decode())


def test_a_name_that_begins_like_the_end_of_a_text_is_found() -> None:
    """No text before it hides it."""
    assert may_hold_secret('{"a":"p",":password":1}')
    assert may_hold_secret('{"a":["p",":q"],"password":1}')
