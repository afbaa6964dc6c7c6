"""What a run knows of the process it walks through: elements by what they do, never by what they are.

`nodes` fulfils these protocols. They are written for a run of any type `R`, so that neither a run nor an element
has to know the other's class.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

from bpm.bpmn.effects import Event
from bpm.bpmn.run.flows import Way
from bpm.bpmn.state import Token, Wait
from bpm.bpmn.view import View

R = TypeVar("R", contravariant=True)


class Catcher(Protocol[R]):
    """A boundary event or the start of an event sub-process, as what throws errors and escalations sees it."""

    interrupts: bool

    @property
    def begins(self) -> str:
        """The key of the event sub-process that it starts; empty for a boundary event."""
        ...

    def precision(self, kind: str, code: str | None) -> int:
        """0: it does not catch this; 1: it catches any code; 2: it catches exactly this one."""
        ...

    def codes(self, kind: str) -> Sequence[str | None]:
        """The codes of this kind that it catches, null for any."""
        ...

    def arm(self, run: R, host: Token) -> None:
        """Begin to wait, if it waits for something."""
        ...

    def catch(self, run: R, host: Token, code: str | None, message: str) -> None:
        """Take it; `host` rests on the activity, or on the sub-process around the event sub-process."""
        ...


class Behavior(Protocol[R]):
    """An element as a run sees it. Any of its methods may raise EvaluationError before it changes anything.

    `key` is what tokens know it by, `entry` the key of the node where those begin that come to it: its own, unless
    something is done before it. `throws`: what fails there may be caught by an error event.
    """

    id: str
    key: str
    entry: str
    always: Way | None
    is_join: ClassVar[bool]
    leaves_as: Event
    throws: ClassVar[bool]

    @property
    def catchers(self) -> Sequence[Catcher[R]]:
        """The boundary events of the element."""
        ...

    @property
    def event_starts(self) -> Sequence[Catcher[R]]:
        """What starts the event sub-processes of a sub-process."""
        ...

    def activate(self, run: R, token: Token) -> None:
        """A token has arrived."""
        ...

    def complete(self, run: R, token: Token, wait: Wait | None, result: Any, values: Mapping[str, Any]) -> None:
        """What the token waited for has come."""
        ...

    def terminate(self, run: R, token: Token) -> None:
        """The resting token is about to be removed: close what was opened for it."""
        ...

    def choose(self, view: View) -> Way:
        """The flows to take when they are not `always` the same."""
        ...

    def emptied(self, run: R, token: Token, scope: int) -> None:
        """The last token is gone from a scope that was opened for the token."""
        ...

    def holds(self, run: R, wait: Wait) -> bool:
        """Whether the condition that the wait is for holds now."""
        ...

    def merge(self, run: R, scope: int) -> bool:
        """Go on from an inclusive join if nothing more can arrive from the scope's tokens; tells whether it did."""
        ...

    def begin_inside(
        self, run: R, token: Token, activities: Sequence[str], variables: Mapping[str, Any], *, is_last: bool
    ) -> None:
        """Begin some activities of an ad hoc sub-process."""
        ...

    def admits(self, run: R, scope: int) -> bool:
        """Whether somebody may put a token into the scope that it has opened."""
        ...

    def waits_empty(self, run: R, scope: int) -> bool:
        """Whether its scope may lose its last token to somebody who moves it; what is next in it begins."""
        ...

    def take_thrown(self, run: R, token: Token, values: Mapping[str, Any]) -> None:
        """The process that was called threw something, when it had these variables."""
        ...

    def retry(self, run: R, token: Token, wait: Wait) -> None:
        """Ask for a failed task again under the next attempt of its wait."""
        ...

    def ask(self, run: R, token: Token, wait: Wait) -> None:
        """Ask for work that was put off."""
        ...

    def skip(self, run: R, token: Token, wait: Wait, values: Mapping[str, Any]) -> None:
        """Give up an incident and go on behind it."""
        ...


class Model(Protocol[R]):
    """A compiled process as a run sees it; `joins` are its gateways that wait for several flows."""

    @property
    def id(self) -> str:
        """The process's id."""
        ...

    @property
    def nodes(self) -> Mapping[str, Behavior[R]]:
        """The elements by key."""
        ...

    @property
    def event_starts(self) -> Sequence[Catcher[R]]:
        """What starts the event sub-processes of the process itself."""
        ...

    @property
    def joins(self) -> frozenset[str]:
        """The gateways at which tokens wait for one another."""
        ...

    @property
    def merging(self) -> frozenset[str]:
        """The joins that go on when nothing more can arrive: the inclusive and the complex ones."""
        ...

    @property
    def ending(self) -> str:
        """The key of what is done when the process has come to its end; empty if nothing is."""
        ...
