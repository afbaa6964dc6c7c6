"""Work on large foreign bodies and sources, beside the event loop.

To read, check and write a megabyte can take half a second, in which no other request would be answered. In a thread it
takes turns with the loop. There are few such threads: more of them would only take turns with one another. One
organisation's work never has all of them, and those that wait are served in turn.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import copy_context
from functools import partial
from threading import Lock
from typing import Any, TypeVar, cast

from bpm.fair_slots import FairSlots, NoFreeSlot, Owner

T = TypeVar("T")

INLINE_BYTES = 32 * 1024
"""Work on so much is done at once: to hand it over would cost more."""
INLINE_VALUES = 2_000
THREADS = 3
"""One organisation that is alone has two of them."""


class SharedThreads:
    """A few threads, of which each organisation has a share; organisations that wait take turns."""

    def __init__(self, threads: int, name: str) -> None:
        """Begin with nothing to do."""
        self._threads = ThreadPoolExecutor(threads, name)
        self._shares = FairSlots(threads)
        self._waiting: dict[Owner, deque[Callable[[], None]]] = {}
        self._lock = Lock()

    def submit(self, organization_id: Owner, work: Callable[[], T]) -> "Future[T]":
        """Do work in a thread when it is the organisation's turn."""
        asked = Future[T]()
        with self._lock:
            self._waiting.setdefault(organization_id, deque()).append(partial(_answer, asked, work))
        self._threads.submit(self._serve)
        return asked

    def _serve(self) -> None:
        """Do what may be done now, until nobody waits who has a share left."""
        while (chosen := self._choose()) is not None:
            work, place = chosen
            try:
                work()
            finally:
                with self._lock:
                    place.__exit__(None, None, None)

    def _choose(self) -> tuple[Callable[[], None], AbstractContextManager[None]] | None:
        with self._lock:
            for organization_id, waiting in self._waiting.items():
                place = self._shares.place(organization_id)
                try:
                    place.__enter__()
                except NoFreeSlot:
                    continue
                work = waiting.popleft()
                del self._waiting[organization_id]
                if waiting:
                    self._waiting[organization_id] = waiting  # behind all others
                return work, place
        return None


def _answer(asked: "Future[T]", work: Callable[[], T]) -> None:
    if not asked.set_running_or_notify_cancel():
        return
    try:
        asked.set_result(work())
    except BaseException as error:  # it belongs to whoever asked, and ends no thread
        asked.set_exception(error)


_threads = SharedThreads(THREADS, "bpm-large-bodies")


async def beside_loop(size: int, work: Callable[[], T], organization_id: Owner) -> T:
    """Do an organisation's work whose cost grows with so many bytes, and return what it returns.

    A large one is done in a thread.
    """
    return work() if size <= INLINE_BYTES else await in_thread(organization_id, work)


async def in_thread(organization_id: Owner, work: Callable[[], T]) -> T:
    """Do an organisation's work in a thread, whatever its size, and return what it returns."""
    return await asyncio.wrap_future(_threads.submit(organization_id, partial(copy_context().run, work)))


def size_of(value: Any) -> int:
    """About how many bytes JSON values take; beyond what is worked on at once it is not counted further."""
    size, waiting = 0, [value]
    while waiting and size <= INLINE_BYTES:
        item = waiting.pop()
        size += INLINE_BYTES // INLINE_VALUES
        if isinstance(item, str | bytes):
            size += len(item)
        elif isinstance(item, Mapping):
            fields = cast("Mapping[str, Any]", item)
            size += sum(map(len, fields)) if len(fields) <= INLINE_VALUES else INLINE_BYTES
            waiting.extend(fields.values() if size <= INLINE_BYTES else ())
        elif isinstance(item, list | tuple):
            items = cast("list[Any]", item)
            waiting.extend(items if len(items) <= INLINE_VALUES else ())
            size += 0 if len(items) <= INLINE_VALUES else INLINE_BYTES
    return size
