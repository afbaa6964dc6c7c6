"""Places of ids and payloads of any shape: whatever may be saved finds one id, or none."""

import json

from hypothesis import strategies as st

from bpm.signatures import PRESETS
from router.deduplication import check_deduplication, delivery_id
from router.request import InboundCall

FRAGMENTS = [
    "header:",
    "query:",
    "body:",
    "body",
    "none",
    ".",
    "[",
    "]",
    "[]",
    "[0]",
    "a",
    "id",
    "$",
    ",",
    "+",
    " ",
    "*",
]
PLACES = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=2)), max_size=7).map("".join)
TEXTS = st.text(max_size=20)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=3)
)
PAYLOADS = st.dictionaries(st.sampled_from(["a", "id"]), VALUES, max_size=3)


def fuzz(data: st.DataObject) -> None:
    """Raise when an accepted place can't be looked up, or finds two ids of one payload."""
    place = data.draw(st.one_of(PLACES, st.lists(PLACES, max_size=3)))
    try:
        check_deduplication(place)
    except ValueError:
        return
    scheme = data.draw(st.sampled_from([None, *PRESETS.values()]))
    find = delivery_id(place, scheme)
    payload = data.draw(PAYLOADS)
    body = json.dumps(payload).encode()
    keys = {find(_call(body)) for _ in range(2)} if find is not None else {None}
    assert len(keys) == 1, (place, payload)
    assert all(key is None or len(key) <= 300 for key in keys), (place, payload)


def _call(body: bytes) -> InboundCall:
    headers = {"content-type": "application/json", "a": "1", "id": "2"}
    return InboundCall("POST", "p", headers, "a=1&id=2", "192.0.2.1", None, body)  # type: ignore[arg-type]
