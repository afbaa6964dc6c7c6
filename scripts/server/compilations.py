"""Compiled scripts kept for the next run, so many and so large at most."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from scripts.shared.limits import MIB
from scripts.shared.outcome import Check

MOST = 1_000

MOST_BYTES = 64 * MIB
"""Code kept at most: a short source can compile to three hundred times its length."""


class Compiled(NamedTuple):
    """A source as the compiler left it."""

    code: bytes | None
    check: Check


class Compilations:
    """The compilations last used, by the key of their source; each is done once, whoever waits for it."""

    def __init__(self) -> None:
        self.bytes = 0
        self._futures: OrderedDict[bytes, asyncio.Future[Compiled]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._futures)

    async def get(self, key: bytes, compile_it: Callable[[], Awaitable[Compiled]]) -> Compiled:
        """Return what a source compiles to; raises what compiling it raises, and then keeps nothing."""
        compiling = self._futures.get(key)
        if compiling is None:
            compiling = asyncio.ensure_future(compile_it())
            self._futures[key] = compiling
            compiling.add_done_callback(lambda done: self._settle(key, done))
        self._futures.move_to_end(key)
        return await asyncio.shield(compiling)

    def _settle(self, key: bytes, done: asyncio.Future[Compiled]) -> None:
        """Count what was compiled, or forget that the sandbox could not do it this time."""
        if done.cancelled() or done.exception() is not None:
            self._futures.pop(key, None)
            return
        self.bytes += _size(done)
        for oldest in [kept for kept, future in self._futures.items() if future.done()]:
            if len(self._futures) <= MOST and self.bytes <= MOST_BYTES:
                break
            self.bytes -= _size(self._futures.pop(oldest))


def _size(done: asyncio.Future[Compiled]) -> int:
    compiled = done.result()
    problems = (*compiled.check.problems, *compiled.check.warnings)
    return len(compiled.code or b"") + sum(len(problem.message) for problem in problems)
