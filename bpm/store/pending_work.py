"""Work that was handed to a thread of the database, and what became of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bpm.store.preload import PreloadRequired
from bpm.store.transaction import Transaction


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


def _raisable(error: BaseException) -> BaseException:
    """Return an error that a coroutine may raise: asyncio treats `StopIteration` and what is no `Exception` apart."""
    if isinstance(error, Exception | PreloadRequired) and not isinstance(error, StopIteration):
        return error
    failure = RuntimeError(f"work in a transaction raised {type(error).__name__}")
    failure.__cause__ = error
    return failure
