"""Validation errors as sentences that say what to do."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from bpm.bus import Integer, PagedQuery, Query, WireModel
from bpm.bus.validation_messages import sentences


class Sample(WireModel):
    """A model with one field for each kind of bound."""

    action: Literal["GET", "POST"] = "GET"
    size: Annotated[Integer, Field(ge=1, le=200)] = 1
    name: Annotated[str, Field(min_length=1, max_length=3)] = "a"
    steps: Annotated[list[int], Field(max_length=2)] = Field(default_factory=list[int])


def told(model: type[WireModel], body: str) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(body)
    return sentences(caught.value, model)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('{"action": "post"}', "action: must be 'GET' or 'POST'"),
        ('{"size": 0}', "size: must be greater than or equal to 1"),
        ('{"size": 201}', "size: must be less than or equal to 200"),
        ('{"name": ""}', "name: must have at least 1 character"),
        ('{"name": "abcd"}', "name: must have at most 3 characters"),
        ('{"steps": [1, 2, 3]}', "steps: must have at most 2 items, not 3"),
    ],
)
def test_a_bound_is_a_whole_sentence(body: str, sentence: str) -> None:
    """Whatever bound a value misses, the sentence says what it must be."""
    assert told(Sample, body) == [sentence]


class PagesQuery(PagedQuery[None], Query[None]):
    """A list query as any other."""


@pytest.mark.parametrize(
    "value", ['"garbage"', '"1700000000"', '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:00-14:00"']
)
def test_a_date_that_can_not_be_read_is_told_how_to_write_one(value: str) -> None:
    """A list's bounds are dates of ISO 8601 that exist in UTC, too."""
    (sentence,) = told(PagesQuery, f'{{"startDate": {value}}}')
    assert sentence == "startDate: must be a date or time of ISO 8601, as in 2026-01-31 or 2026-01-31T09:30:00Z"


def test_a_page_number_has_a_bound() -> None:
    """No page is so far that the database could not count to it."""
    assert told(PagesQuery, f'{{"pageNumber": {2**62}}}') == ["pageNumber: must be less than or equal to 1000000000"]
