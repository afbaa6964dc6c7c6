"""A piece of work that has ended, as a collector learns of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bpm.tracing.ids import Traceparent

Kind = Literal["server", "internal", "client", "consumer"]
"""Who began it: a request from outside, we ourselves, we towards somebody outside, or a worker."""
AttributeValue = str | int | bool


@dataclass(frozen=True, slots=True)
class Span:
    """What was done, when, and on whose account; `parent_id` is None for the first of its trace.

    `attributes` are ids, names and states: never a payload, a header, an address or a sentence about one.
    """

    name: str
    kind: Kind
    trace_id: int
    span_id: int
    parent_id: int | None
    began_at: int
    """In nanoseconds since 1970, as `ended_at`."""
    ended_at: int
    attributes: Mapping[str, AttributeValue]
    links: tuple[Traceparent, ...] = ()
    is_failed: bool = False
