"""The two ways to write JSON agree."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticSerializationError

from bpm.bpmn.state import Status, Token
from bpm.exact_json import read_json, write_json, write_plain
from bpm.number import number_of
from tests.numbers import PLAIN, WITH_EXPONENT

NUMBERS = st.one_of(PLAIN, WITH_EXPONENT).map(number_of)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TOKENS = st.builds(Token, st.integers(0, 9), TEXTS, st.integers(0, 9), st.none() | TEXTS)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), NUMBERS, TEXTS, st.sampled_from(Status), TOKENS)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS | st.integers(), inner, max_size=4)
)


@given(VALUES)
def test_plain_values_are_written_alike(value: Any) -> None:
    """Digit for digit, with the names of members that are numbers as texts."""
    assert write_plain(value) == write_json(value)
    assert write_json(read_json(write_plain(value))) == write_json(value)


def test_what_is_not_json_is_refused_alike() -> None:
    """A text that is no text, and an object of Python."""
    for value in ("\ud800", object(), {"inside": [object()]}):
        for write in (write_plain, write_json):
            with pytest.raises(PydanticSerializationError):
                write(value)
