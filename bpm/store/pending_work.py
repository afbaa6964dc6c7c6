"""Work that was handed to a thread of the database, and what became of it."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from bpm.store.preload import PreloadRequired
from bpm.store.transaction import Transaction

NO_MEMORY_SECONDS = 0.1
"""How long a thread waits for memory in which to say that it is done."""


@dataclass(slots=True, eq=False)
class PendingWork:
    """One piece of work in a queue, the future of whoever asked for it, and what became of it."""

    work: Callable[[Transaction], Any]
    future: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        """Tell whoever asked, unless they went away; then forget everything.

        The trace of an error leads here, and to what it was run beside: all of it would live on in a circle.
        """
        if not self.future.done():
            if self.error is None:
                self.future.set_result(self.result)
            else:
                self.future.set_exception(_raisable(self.error))
        self.result = self.error = None
        del self.work, self.future


W = TypeVar("W", bound=PendingWork)


def hand_back(deliver: Callable[[list[W]], object], done: list[W]) -> None:
    """Have work that is done delivered in the event loop of those who asked for it; called in another thread.

    When there is no memory for that they wait until there is some: the thread lives, and forgets nobody.
    """
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is waiting any more
        while not _is_handed_back(deliver, done):
            time.sleep(NO_MEMORY_SECONDS)


def _is_handed_back(deliver: Callable[[list[W]], object], done: list[W]) -> bool:
    try:
        done[0].future.get_loop().call_soon_threadsafe(deliver, done)
    except MemoryError:
        return False
    return True


def _raisable(error: BaseException) -> BaseException:
    """Return an error that a coroutine may raise: asyncio treats `StopIteration` and what is no `Exception` apart."""
    if isinstance(error, Exception | PreloadRequired) and not isinstance(error, StopIteration):
        return error
    failure = RuntimeError(f"work in a transaction raised {type(error).__name__}")
    failure.__cause__ = error
    return failure
