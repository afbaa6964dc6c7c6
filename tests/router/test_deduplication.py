"""Where the id of a delivery stands."""

from typing import Any

import pytest

from bpm.key_text import MAX_CHARACTERS
from router.deduplication import locator_of

HEADERS = {"webhook-id": "msg_1", "empty": ""}
QUERY = {"id": "q1"}
EVENT = {"event-id": "e-1", "Event ID": 7, "data": {"id": "d1", "list": [{"id": 1}, {"id": 2}]}, "none": None}
RRRS = [{"rrr": "1-1"}, {"rrr": "2-2"}]


def found(payload: Any, *places: str) -> str | None:
    find = locator_of(places)
    assert find is not None
    return find(HEADERS, QUERY, lambda: payload)


PLACES: list[tuple[str, Any, str | None]] = [
    ("header:Webhook-Id", EVENT, "msg_1"),
    ("header:empty", EVENT, None),
    ("header:other", EVENT, None),
    ("query:id", EVENT, "q1"),
    ("query:other", EVENT, None),
    ("body:event-id", EVENT, "e-1"),
    ("body:Event ID", EVENT, "7"),
    ("body:data.id", EVENT, "d1"),
    ("body:data.list[1].id", EVENT, "2"),
    ("body:data.list[2].id", EVENT, None),
    ("body:data.list[].id", EVENT, "[1,2]"),
    ("body:none", EVENT, None),
    ("body:data.id.deeper", EVENT, None),
    ("body:data[0]", EVENT, None),
    ("body:[].rrr", RRRS, '["1-1","2-2"]'),
    ("body:[].rrr", RRRS[0], '["1-1"]'),
    ("body:[].rrr", [], None),
    ("body:[].rrr", [{}, {}], None),
    ("body:[].rrr", [*RRRS, {"rrr": None}], None),
    ("body:[]", None, None),
    ("body:id", "text", None),
    ("body:id", None, None),
]


@pytest.mark.parametrize(("place", "payload", "key"), PLACES)
def test_the_id_is_found(place: str, payload: Any, key: str | None) -> None:
    """The id is text as it is or JSON; where it is missing, were it in one element only, there is none."""
    assert found(payload, place) == key


def test_the_order_of_elements_counts() -> None:
    """Lists with the same ids in another order are different deliveries."""
    assert found(RRRS, "body:[].rrr") != found(RRRS[::-1], "body:[].rrr")


def test_the_first_place_with_an_id_counts() -> None:
    """Of several places the first one that has an id is taken; `none` is no place."""
    assert found(EVENT, "header:other", "body:data.id", "query:id") == "d1"
    assert locator_of(["none"]) is locator_of([]) is None


def test_a_long_id_is_kept_as_its_hash() -> None:
    """An id of any length fits the index, and two long ones stay apart."""
    keys = {found({"id": letter * (MAX_CHARACTERS + 1)}, "body:id") for letter in "ab"}
    assert len(keys) == 2
    assert all(key is not None and key.startswith("sha256:") and len(key) <= MAX_CHARACTERS for key in keys)
    assert found({"id": "a" * MAX_CHARACTERS}, "body:id") == "a" * MAX_CHARACTERS


@pytest.mark.parametrize(
    "place", ["", "body:", "header:", "query:", "cookie:id", "body:.a", "body:a.", "body:a..b", "body:a[", "body:a[x]",
              "body:a[0]b", "body:" + "a" * 250 + "["],
)  # fmt: skip
def test_a_place_that_is_none_is_refused(place: str) -> None:
    """What can't be looked up is refused when it is written, with an example."""
    with pytest.raises(ValueError, match=r"as in body:data\.id"):
        locator_of([place])
