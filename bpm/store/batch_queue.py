"""From the event loop to a thread: what one turn of the loop asks for is handed over in one go.

A thread that is woken for every single item takes the interpreter's lock away from the loop each time; by
whole turns it is woken a fraction as often.
"""

import asyncio
import queue
from typing import Generic, TypeVar

T = TypeVar("T")


class BatchQueue(Generic[T]):
    """A queue that the loop fills and threads empty, batch by batch."""

    def __init__(self) -> None:
        """Begin empty."""
        self._queue: queue.SimpleQueue[list[T] | None] = queue.SimpleQueue()
        self._collected: list[T] = []

    def add(self, item: T) -> None:
        """Hand `item` over at the end of this turn of the running loop."""
        if not self._collected:
            asyncio.get_running_loop().call_soon(self._put)
        self._collected.append(item)

    def end(self) -> None:
        """Tell one thread that nothing more comes after what was added."""
        if self._collected:
            self._put()
        self._queue.put(None)

    def take(self) -> list[T] | None:
        """Wait for a batch; None is the end."""
        return self._queue.get()

    def take_waiting(self) -> list[T] | None:
        """Return a batch that waits already, an empty one if none does; None is the end."""
        try:
            return self._queue.get_nowait()
        except queue.Empty:
            return []

    def _put(self) -> None:
        collected, self._collected = self._collected, []
        if collected:
            self._queue.put(collected)
