"""Children kept ready: warm spares for runs of their own, and children reused for one rule."""

import asyncio
import contextlib
import os
import time
from collections import OrderedDict
from collections.abc import Hashable
from contextvars import Context
from functools import partial

from scripts.server import spares
from scripts.server.remote_child import Child
from scripts.server.remote_zygote import RemoteZygote
from scripts.shared.limits import Limits
from scripts.shared.outcome import SandboxUnavailable

SPARES_PER_CORE = 2

IDLE_REUSED = 32
"""Idle children of grade `rule` kept at most, over all rules."""

UNCONFINED = (
    "This machine cannot confine scripts: its kernel does not enforce a system call filter (seccomp). Run on Linux "
    "4.14 or later on x86-64 or aarch64, or set scripts.allow_unconfined to run scripts without this wall."
)


class Pool:
    """Hands out children of the current zygote and replaces it when it is lost."""

    def __init__(self, entry: str, limits: Limits, *, allow_unconfined: bool) -> None:
        self.closed = False
        self._entry = entry
        self._limits = limits
        self._allow_unconfined = allow_unconfined
        self._starting = asyncio.Lock()
        self._zygote: RemoteZygote | None = None
        self._runners = spares.Spares(SPARES_PER_CORE * (os.cpu_count() or 1))
        self._compilers = spares.Spares(1)
        self._looking_again: asyncio.TimerHandle | None = None
        self._idle: OrderedDict[int, tuple[Hashable, Child]] = OrderedDict()

    @property
    def locks(self) -> dict[str, bool | str]:
        """The locks the current zygote reported."""
        return dict(self._zygote.locks) if self._zygote else {}

    async def start(self) -> RemoteZygote:
        """Return the zygote, starting one if there is none alive; raises SandboxUnavailable."""
        if not hasattr(os, "fork"):
            raise SandboxUnavailable("Scripts need a POSIX system: this one cannot fork a process for each run.")
        async with self._starting:
            if self.closed:
                raise SandboxUnavailable("The script sandbox is closed.")
            if self._zygote is None or self._zygote.lost:
                await self._forget()
                self._zygote = await self._new_zygote()
                self.refill()
            return self._zygote

    async def close(self) -> None:
        """End every child and the zygote."""
        self.closed = True
        async with self._starting:
            await self._forget()

    async def take(self, limits: Limits, key: Hashable | None = None, *, compiles: bool = False) -> Child:
        """Return a child for one run or compilation, or with a key one that served runs of that key only.

        Raises SandboxUnavailable.
        """
        zygote = await self.start()
        try:
            if compiles:
                return self._compilers.take() or zygote.fork(self._limits, compiles=True)
            return self._take(zygote, limits, key)
        except OSError as error:
            raise SandboxUnavailable(f"The script sandbox cannot open another socket: {error}.") from error

    def _take(self, zygote: RemoteZygote, limits: Limits, key: Hashable | None) -> Child:
        if key is not None:
            return self._idle_for(key, limits) or zygote.fork(limits, reused=True)
        if (limits.cpu_seconds, limits.memory_bytes) != (self._limits.cpu_seconds, self._limits.memory_bytes):
            return zygote.fork(limits)
        return self._runners.take() or zygote.fork(limits)

    def keep(self, child: Child, key: Hashable, limits: Limits) -> None:
        """Keep a child for the next run of its key, unless it has served its time."""
        child.runs += 1
        left = limits.reuse_seconds - (time.monotonic() - child.born)
        if left <= 0 or child.runs >= limits.reuse_runs or child.ended.done() or self.closed:
            child.leave()
            return
        if child.runs == 1:  # not in the run's context, whose message and rows the timer would keep
            asyncio.get_running_loop().call_later(left, self._retire, child.number, context=Context())
        self._idle[child.number] = (key, child)
        if len(self._idle) > IDLE_REUSED:
            self._retire(next(iter(self._idle)))

    def refill(self) -> None:
        """Order new spares for those that were taken, and let go of those that nobody wanted for a while."""
        zygote = self._zygote
        if self.closed or zygote is None or zygote.lost:
            return
        # Out of descriptors: the run that needs one will say so, and a later refill may succeed.
        with contextlib.suppress(OSError, SandboxUnavailable):
            self._runners.refill(partial(zygote.fork, self._limits))
            self._compilers.refill(partial(zygote.fork, self._limits, compiles=True))
        if (self._runners or self._compilers) and self._looking_again is None:
            loop = asyncio.get_running_loop()
            self._looking_again = loop.call_later(spares.KEPT_SECONDS, self._look_again, context=Context())

    def _look_again(self) -> None:
        self._looking_again = None
        self.refill()

    def _idle_for(self, key: Hashable, limits: Limits) -> Child | None:
        for number, (owner, child) in reversed(self._idle.items()):
            if owner == key:
                del self._idle[number]
                young = time.monotonic() - child.born < limits.reuse_seconds
                if young and child.is_silent():
                    return child
                child.leave()
                return None
        return None

    def _retire(self, number: int) -> None:
        _, child = self._idle.pop(number, (None, None))
        if child is not None:
            child.leave()

    async def _new_zygote(self) -> RemoteZygote:
        try:
            zygote = RemoteZygote(self._entry)
        except OSError as error:
            raise SandboxUnavailable(f"The script sandbox can't be started: {error}.") from error
        try:
            await zygote.started()
        except BaseException:
            await asyncio.shield(zygote.close())
            raise
        if not zygote.locks.get("seccomp") and not self._allow_unconfined:
            await zygote.close()
            raise SandboxUnavailable(UNCONFINED)
        return zygote

    async def _forget(self) -> None:
        if self._looking_again is not None:
            self._looking_again.cancel()
            self._looking_again = None
        self._runners.leave()
        self._compilers.leave()
        for _, child in self._idle.values():
            child.leave()
        self._idle.clear()
        if self._zygote is not None:
            await self._zygote.close()
            self._zygote = None
