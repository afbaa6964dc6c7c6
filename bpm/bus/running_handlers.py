"""A handler that never came back is not called again meanwhile.

A handler that sleeps holds up everybody until its thread is given up. A request for it that is tried again, or the
next one, would do the same at once.
"""

from collections.abc import Callable
from typing import TypeVar

from bpm.errors import StillRunning
from bpm.store.abandoned_threads import AbandonedThreads
from bpm.store.handler_names import HandlerNames

C = TypeVar("C")
R = TypeVar("R")


class RunningHandlers:
    """The handlers that database threads are in."""

    def __init__(self, abandoned: AbandonedThreads, names: HandlerNames) -> None:
        """Take the threads that were given up, and what is noted of where each thread is."""
        self._abandoned = abandoned
        self._names = names

    def within(self, name: str, work: Callable[[C], R]) -> Callable[[C], R]:
        """Return the work of a handler; it raises `StillRunning` while a thread does not come back from it."""

        def entered(context: C) -> R:
            if self._abandoned.alive:
                self._refuse_stuck(name)
            outer = self._names.enter(name)
            try:
                return work(context)
            finally:
                self._names.leave(outer)

        return entered

    @property
    def stuck(self) -> list[str]:
        """The names of the handlers that do not come back."""
        return [self._names.of(thread.ident or 0) for thread in self._abandoned.alive]

    def _refuse_stuck(self, name: str) -> None:
        if name in self.stuck:
            raise StillRunning(
                f"{name} was called before and has not come back, although it was interrupted; it is not called again "
                "until it has. What waits for something belongs into a handler that is written `async def`"
            )
