"""Where a token can go from an element."""

from typing import NamedTuple


class Flow(NamedTuple):
    """A sequence flow, and the element it leads to."""

    id: str
    target: str


class Way(NamedTuple):
    """Where a token goes from an element: on to `target`, with a new token on each of the `others`.

    `ids` are the flows taken; without a target the token is used up.
    """

    ids: tuple[str, ...]
    target: str | None
    others: tuple[Flow, ...]

    @classmethod
    def along(cls, *flows: Flow) -> "Way":
        """The way along some flows; along none the token is used up."""
        return cls(tuple([flow.id for flow in flows]), flows[0].target if flows else None, flows[1:])
