"""Event loops of their own threads, in which the effects of an application's packages run.

An `async def` handler that blocks, as `time.sleep` and clients without `await` do, holds the loop that it runs in. It
must not be the loop that answers requests. What such a handler asks of its context is done there all the same: only
its own turns are taken elsewhere.

A loop that is held for too long is given up: effects that begin later run in another one. When it comes back, it
finishes what it has and ends (`docs/decisions/0051-effects-run-in-a-loop-of-their-own.md`).
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, TypeVar

import structlog
import uvloop

from bpm.bus.effects import settle
from bpm.errors import StillRunning
from bpm.stall import StallWatch
from bpm.store.abandoned_threads import AbandonedThreads

T = TypeVar("T")

HELD = "an effect holds the event loop of effects, and others wait"
GOES_ON = "the event loop of effects goes on"

log = structlog.get_logger("bpm.bus")


class EffectLoop:
    """A thread with an event loop."""

    def __init__(self, seconds: float, abandoned: AbandonedThreads) -> None:
        """Let one effect hold the loop for at most `seconds`; `abandoned` counts the threads that are given up."""
        self.is_abandoned = False
        """Whether another loop takes what begins now."""
        self.holder = ""
        """The name of the message whose effect held the loop when it was given up, until it lets go."""
        self._abandoned = abandoned
        self._loop = uvloop.new_event_loop()
        self._running: set[asyncio.Task[Any]] = set()
        self._is_ended = False
        self._watch = StallWatch(HELD, GOES_ON, seconds, self._give_up, self._come_back)
        self._thread = threading.Thread(target=self._serve, name="bpm-effects", daemon=True)
        self._thread.start()

    async def run(self, name: str, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, or raise what it raises; called in another event loop."""
        return await run_in(self._loop, self._named(name, coroutine))

    def end(self) -> None:
        """End what still runs, and the thread, as soon as nothing holds the loop."""
        self._watch.stop()
        self._is_ended = True
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _named(self, name: str, coroutine: Coroutine[Any, Any, T]) -> T:
        task = asyncio.current_task()
        assert task is not None
        task.set_name(name)
        self._running.add(task)
        try:
            return await coroutine
        finally:
            self._running.discard(task)
            self._end_if_done()

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.get_loop().call_soon(self._watch.start)
            while not self._is_ended:
                try:
                    self._loop.run_forever()
                except BaseException:  # `SystemExit` of a task that a handler began and nobody waits for
                    log.exception("a task of an effect raised what ends an event loop")

    def _give_up(self) -> bool:
        """Let another loop take what begins from now on, unless too many were left behind already."""
        if not self._abandoned.add(self._thread):
            return False
        holder = asyncio.current_task(self._loop)
        self.holder = holder.get_name() if holder is not None else ""
        self.is_abandoned = True
        return True

    def _come_back(self) -> None:
        self.holder = ""
        if self.is_abandoned:
            self._loop.call_soon_threadsafe(self._end_if_done)

    def _end_if_done(self) -> None:
        if self.is_abandoned and not self.holder and not self._running:
            self.end()


class EffectLoops:
    """The loop in which effects run, and those that were given up."""

    def __init__(self, seconds: float, abandoned: AbandonedThreads) -> None:
        """Begin without a thread: the first effect starts one."""
        self._seconds = seconds
        self._abandoned = abandoned
        self._current: EffectLoop | None = None
        self._left: list[EffectLoop] = []

    def taking(self, name: str, handler: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        """Return the handler of the effect `name` as one that runs in the loop of effects.

        It raises `StillRunning` while such an effect holds a loop that was given up.
        """

        @wraps(handler)
        async def handle(message: Any, context: Any, **services: Any) -> Any:
            loop = self._loop_for(name)
            context.run_here = partial(run_in, asyncio.get_running_loop())
            return await loop.run(name, handler(message, context, **services))

        return handle

    def stop(self) -> None:
        """End every loop; what still runs in them is cut off."""
        for loop in (*self._left, *([self._current] if self._current is not None else [])):
            loop.end()
        self._current, self._left = None, []

    def _loop_for(self, name: str) -> EffectLoop:
        if self._current is not None and self._current.is_abandoned:
            self._left.append(self._current)
            self._current = None
        self._left = [loop for loop in self._left if loop.holder]
        if name in (loop.holder for loop in self._left):
            raise StillRunning(
                f"{name} was called before and has held the event loop of effects since then; it is not called again "
                "until it lets go. What blocks belongs into `asyncio.to_thread`"
            )
        self._current = self._current or EffectLoop(self._seconds, self._abandoned)
        return self._current


async def run_in(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in the event loop of another thread; return what it returns, or raise what it raises."""
    value, error = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(settle(coroutine), loop))
    if error is not None:
        raise error
    return value
