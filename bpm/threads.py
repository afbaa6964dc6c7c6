"""Work on large foreign bodies, beside the event loop.

To read, check and write a megabyte can take half a second, in which no other request would be answered. In a thread it
takes turns with the loop. There are few such threads: more of them would only take turns with one another.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar, cast

T = TypeVar("T")

INLINE_BYTES = 32 * 1024
"""Work on so much is done at once: to hand it over would cost more."""
INLINE_VALUES = 2_000
THREADS = 2

_threads = ThreadPoolExecutor(THREADS, "bpm-large-bodies")


async def beside_loop(size: int, work: Callable[[], T]) -> T:
    """Do work whose cost grows with so many bytes, and return what it returns: a large one in a thread."""
    if size <= INLINE_BYTES:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_threads, copy_context().run, work)


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
