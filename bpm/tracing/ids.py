"""The ids of traces and spans: a trace is all that one cause sets in motion, so its id is made of the correlation id.

Nothing has to be stored for it, and every process that works on the cause finds the same ids, also years later.
"""

import hashlib
import random
import re
from typing import NamedTuple

HEADER = "traceparent"

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_VERSION_0 = "00-"
_LENGTH = 55
_SPAN_BITS = (1 << 64) - 1
_RANDOM_BITS = 56
"""How many of a trace id's last bits are random by the standard; whether it is sent is decided by them."""


class Traceparent(NamedTuple):
    """A span in a trace, as the header `traceparent` names it."""

    trace_id: int
    span_id: int


def trace_id_of(correlation_id: str) -> int:
    """Return the trace's id: a UUID without its hyphens; of an id that a caller chose otherwise, its hash."""
    found = int(correlation_id.replace("-", ""), 16) if _UUID.fullmatch(correlation_id) else 0
    return found or int.from_bytes(hashlib.blake2b(correlation_id.encode(), digest_size=16).digest())


def first_span_of(trace_id: int) -> int:
    """Return the id of the span that a trace begins with."""
    return trace_id & _SPAN_BITS or 1


def new_span_id() -> int:
    """Return the id of a further span."""
    return random.getrandbits(64) or 1


def is_sent(trace_id: int, ratio: float) -> bool:
    """Tell whether a trace is among those that are sent; every process gives the same answer."""
    return trace_id & ((1 << _RANDOM_BITS) - 1) < ratio * (1 << _RANDOM_BITS)


def write_traceparent(span: Traceparent, *, is_sent: bool) -> str:
    """Return the header (https://www.w3.org/TR/trace-context/, 3.2)."""
    return f"{_VERSION_0}{span.trace_id:032x}-{span.span_id:016x}-{is_sent:02x}"


def read_traceparent(text: str) -> Traceparent | None:
    """Return what a header from outside names, None when it is none; of a later version its first part is read."""
    is_of_ours = text.startswith(_VERSION_0)
    match = _TRACEPARENT.fullmatch(text[:_LENGTH])
    if match is None or (is_of_ours and len(text) > _LENGTH) or text[_LENGTH : _LENGTH + 1] not in ("", "-"):
        return None
    found = Traceparent(int(match[1], 16), int(match[2], 16))
    return found if found.trace_id and found.span_id else None
