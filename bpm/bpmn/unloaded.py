"""What of an instance is not at hand: turns of repeated activities and branches that nothing happens to at the moment.

The caller of the engine may store each of them by itself (see `division`). It brings the one of the wait that a trigger
answers; the engine asks for others through the instance's `part_loader`, when something concerns them, too.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from bpm.bpmn.large import LargeKey


class PartLoader(Protocol):
    """Where the caller keeps what is not at hand."""

    def turns(self, body: int | None) -> Sequence[Mapping[str, Any]]:
        """The turns and branches of a scope that are not at hand, with all inside them; None: every one. Now they are.

        Each is as `Instance.absorb` takes it.
        """
        ...

    def item(self, body: int, index: int) -> Any:
        """The item of a turn that has not begun."""
        ...

    def outputs(self, body: int) -> Mapping[int, Any]:
        """What the turns that have ended came to, by their index, as far as it is not at hand."""
        ...

    def large(self, key: "LargeKey") -> Any:
        """A large value that is stored by itself."""
        ...


class UnloadedCounts(NamedTuple):
    """How many tokens are not at hand, and how many waits of each kind."""

    tokens: int
    waits: Mapping[str, int]

    def plus(self, tokens: int, kinds: Sequence[str], sign: int = 1) -> "UnloadedCounts":
        """The same with so many tokens and these waits more, or fewer."""
        waits = dict(self.waits)
        for kind in kinds:
            waits[kind] = waits.get(kind, 0) + sign
        return UnloadedCounts(self.tokens + sign * tokens, {kind: count for kind, count in waits.items() if count})


NOTHING_ABSENT = UnloadedCounts(0, {})
