"""The joins of a run: which tokens have arrived at them, and by which flow."""

from collections.abc import Iterator, Mapping

from bpm.bpmn.run.tokens import Tokens
from bpm.bpmn.run.waits import Waits
from bpm.bpmn.state import Arrivals, Token

_NOTHING: Arrivals = {}


class Joins:
    """Says what has arrived at joins, and joins it."""

    __slots__ = ("_tokens", "_waits")

    def __init__(self, tokens: Tokens, waits: Waits) -> None:
        self._tokens = tokens
        self._waits = waits

    def held(self) -> Iterator[tuple[str, int]]:
        """The joins at which tokens rest, each with the scope of these."""
        return iter(sorted(self._tokens.at_joins()))

    def arrivals(self, element: str, scope: int) -> Mapping[str | None, tuple[int, ...]]:
        """The tokens that rest at a join in a scope, by flow, but for those whose arrival or leaving failed."""
        found = self._tokens.at_joins().get((element, scope), _NOTHING)
        failed = self._waits.failed("activate", "leave")
        if not failed:
            return found
        sound = {flow: tuple([each for each in ids if each not in failed]) for flow, ids in found.items()}
        return {flow: ids for flow, ids in sound.items() if ids}

    def join(self, arrivals: Mapping[str | None, tuple[int, ...]], last: int) -> Token:
        """Use up one token of each flow that has one, but for the `last`: it goes on."""
        for first in sorted(ids[0] for ids in arrivals.values()):
            joined = self._tokens.resting[first]
            self._waits.close_all(joined)
            if joined.id != last:
                self._tokens.consume(joined)
        return self._tokens.resting[last]
